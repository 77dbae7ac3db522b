"""What all clients compete for: names, a number, and each other's tokens."""

import random
import threading
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Own

NAMES = tuple(f"rival-{number}" for number in range(4))


class Shared:
    """Known to all clients. ``counter`` is the path of a target and a token for it."""

    def __init__(self) -> None:
        self.counter = ("", "")
        self._lock = threading.Lock()
        self._tokens: list[Own] = []
        self._held: list[tuple[str, float, float]] = []
        self._counts: list[tuple[int, int | None]] = []

    def publish(self, token: "Own") -> None:
        """Let other clients use a token."""
        with self._lock:
            self._tokens = [*self._tokens[-20:], token]

    def withdraw(self, token: "Own") -> None:
        """Stop them after a while: some go on, to see that it does not work any more."""
        with self._lock:
            if token in self._tokens[:-3]:
                self._tokens.remove(token)

    def any_token(self, chance: random.Random) -> "Own | None":
        with self._lock:
            return chance.choice(self._tokens) if self._tokens else None

    def any_name(self, chance: random.Random) -> str:
        return chance.choice(NAMES)

    def held(self, name: str, since: float, until: float) -> None:
        """A client had that name: certainly from its answer until it began to give it back."""
        with self._lock:
            self._held.append((name, since, until))

    def counted(self, number: int, status: int | None) -> None:
        """A client has set the counter to a number, and was answered that."""
        with self._lock:
            self._counts.append((number, status))

    def wrong(self, counter: int) -> list[str]:
        """What cannot be; ``counter`` is its value in the end."""
        found = []
        for name in NAMES:
            spans = sorted((since, until) for held, since, until in self._held if held == name)
            found += [
                f"two projects were called {name} at once"
                for (_, until), (since, _) in pairwise(spans)
                if since < until
            ]
        done = [number for number, status in self._counts if status == 200]
        maybe = [number for number, status in self._counts if status in (502, 503, None)]
        if len(done) != len(set(done)):
            found.append("the counter took one number twice: an update was lost")
        if not len(done) <= counter <= len(done) + len(maybe):
            found.append(
                f"the counter is {counter} after {len(done)} additions and {len(maybe)} in doubt"
            )
        return found

    @property
    def totals(self) -> dict[str, int]:
        """For the report."""
        statuses = [status for _, status in self._counts]
        return {
            "names held": len(self._held),
            "numbers counted": statuses.count(200),
            "stale numbers refused": statuses.count(412),
        }
