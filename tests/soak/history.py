"""What clients were told: an append-only list of what they asked for and what was answered."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Act = Literal["create", "change", "delete", "use"]
Kind = Literal["user", "project", "token", "target"]
# What a write says: a name, a ttl, a password, or a description with a checksum.
Value = str | int | tuple[str, str]


class Known(IntEnum):
    """Whether something has happened. An answer that was lost, or a 503, leaves both possible."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True)
class Entry:
    """One request of one client, and its answer. ``mark`` names a thing for the whole run."""

    act: Act
    kind: Kind
    mark: str
    status: int | None
    sent: float
    heard: float
    value: Value | None = None
    row: int | None = None
    parent: str | None = None
    # The mark of the user or token that asked.
    caller: str | None = None
    secret: str | None = None

    @property
    def happened(self) -> Known:
        """503 is said of a commit whose answer was lost, and nginx's 502 of any request."""
        if self.status in (200, 201, 204):
            return Known.YES
        return Known.MAYBE if self.status in (None, 502, 503) else Known.NO


@dataclass
class Thing:
    """All that is known of a user, project, token or target."""

    kind: Kind
    mark: str
    parent: str | None
    value: Value | None
    secret: str | None = None
    row: int | None = None
    created: Known = Known.NO
    deleted: Known = Known.NO
    # When a client heard that it was deleted.
    ended: float = float("inf")
    # When a client first asked for its deletion.
    ending: float = float("inf")
    # The last values that a client asked for, any of which may be there.
    values: list[Value | None] = field(default_factory=list)
    # Changes that were acknowledged, and those that may have happened beside them.
    changes: int = 0
    doubts: int = 0


class Journal:
    """One client's; only its own thread appends to it."""

    def __init__(self, name: str) -> None:
        self.entries: list[Entry] = []
        self._name, self._numbers = name, itertools.count(1)

    def mark(self) -> str:
        """A name that nothing has had before."""
        return f"{self._name}-{next(self._numbers)}"


def things(entries: Iterable[Entry]) -> dict[str, Thing]:
    """What follows from the clients' entries, by mark."""
    known: dict[str, Thing] = {}
    later = []
    for entry in entries:
        if entry.act == "create":
            known[entry.mark] = Thing(
                entry.kind,
                entry.mark,
                entry.parent,
                entry.value,
                entry.secret,
                entry.row,
                created=entry.happened,
                values=[entry.value],
            )
        elif entry.act != "use":
            later.append(entry)
    for entry in sorted(later, key=lambda entry: entry.sent):
        {"change": _change, "delete": _delete}[entry.act](known[entry.mark], entry)
    return known


def _change(thing: Thing, entry: Entry) -> None:
    """A change names the version that it is of, so one that is acknowledged ends older doubts."""
    if entry.happened is Known.YES:
        thing.values = [entry.value]
        thing.changes += 1
    elif entry.happened is Known.MAYBE:
        thing.values.append(entry.value)
        thing.doubts += 1


def _delete(thing: Thing, entry: Entry) -> None:
    if entry.happened is Known.NO:
        return
    thing.deleted = max(thing.deleted, entry.happened)
    thing.ending = min(thing.ending, entry.sent)
    if entry.happened is Known.YES:
        thing.ended = min(thing.ended, entry.heard)


def lineage(known: dict[str, Thing], mark: str | None) -> list[Thing]:
    """A thing, its parent, its parent's parent …"""
    found = []
    while mark is not None:
        found.append(known[mark])
        mark = known[mark].parent
    return found


def children(known: dict[str, Thing]) -> dict[str | None, list[Thing]]:
    """The things below each."""
    below: dict[str | None, list[Thing]] = defaultdict(list)
    for thing in known.values():
        below[thing.parent].append(thing)
    return below
