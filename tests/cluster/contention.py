"""Many writers that change one row as fast as they are answered, and read it back."""

import contextlib
import itertools
import json
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from ..soak.caller import Answer, Caller
from ..soak.client import Client
from ..soak.shared import Shared
from .node import Node
from .system import System


@dataclass
class Writer:
    """One of them. ``done`` are the changes that it was told of, ``wrong`` what cannot be."""

    number: int
    done: list[tuple[int, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    written: list[Answer] = field(default_factory=list)

    def work(self, port: int, path: str, token: str, until: float) -> None:
        with contextlib.closing(Caller(port)) as caller:
            for count in itertools.count():
                if time.monotonic() > until:
                    return
                text = f"writer {self.number}, {count}"
                answer = caller.ask("PATCH", path, {"description": text}, token=token)
                self.written.append(answer)
                if answer.status == 200:
                    self.done.append((revision(answer), text))
                    self._read_back(caller, path, token)
                elif answer.status != 503 or not answer.headers.get("Retry-After"):
                    self.wrong.append(f"PATCH: {answer.status} {dict(answer.headers)}")

    def _read_back(self, caller: Caller, path: str, token: str) -> None:
        """What it has just written, or what another has written since."""
        answer = caller.ask("GET", path, token=token)
        number, text = self.done[-1]
        if answer.status != 200 or revision(answer) < number:
            self.wrong.append(f"GET: {answer.status} {answer.body!r} after {number}")
        elif revision(answer) == number and answer.json["description"] != text:
            self.wrong.append(f"GET: {answer.body!r}, not {text}")


def revision(answer: Answer) -> int:
    """How often the row has been changed, from the entity tag."""
    return int(answer.tag.strip('"').rpartition("-")[2])


@dataclass(frozen=True)
class Outcome:
    """What all of them were told."""

    writers: list[Writer]
    seconds: float
    wrong: list[str]

    def share(self, status: int) -> float:
        """Of all writes."""
        return self.statuses[status] / self.statuses.total()

    @property
    def statuses(self) -> Counter[int | None]:
        return Counter(answer.status for writer in self.writers for answer in writer.written)

    def __str__(self) -> str:
        waits = [one.heard - one.sent for writer in self.writers for one in writer.written]
        return (
            f"\n{len(self.writers)} writers of one row, {self.seconds:.0f} s: "
            f"{dict(self.statuses)}; waited {statistics.median(waits):.2f} s (median), "
            f"{max(waits):.2f} s at most; wrong: {self.wrong[:5]}"
        )


def contend(system: System, seed: int, writers: int, seconds: float) -> Outcome:
    """Let so many write one target, then look on every node for each acknowledged change."""
    first = Client(0, seed, system.port, Shared(), 0)
    first.sign_up()
    first.create_project()
    first.create_token()
    target = first.upload_described("nothing yet")
    first.caller.close()
    [project] = first.projects
    until = time.monotonic() + seconds
    everyone = [Writer(number) for number in range(writers)]
    place = (system.port, target.path, project.tokens[0].token, until)
    threads = [threading.Thread(target=writer.work, args=place) for writer in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = dict(change for writer in everyone for change in writer.done)
    row = int(target.path.rpartition("/")[2])
    wrong = [complaint for writer in everyone for complaint in writer.wrong]
    wrong += system.replicas.bugs()
    if len(done) != sum(len(writer.done) for writer in everyone):
        wrong.append("two changes have one number")
    wrong += [text for node in system.cluster.nodes for text in lost(node, row, done)]
    return Outcome(everyone, seconds, wrong)


def lost(node: Node, row: int, done: dict[int, str]) -> list[str]:
    """What of the acknowledged changes, by number, the audit trail or the row lacks."""
    waiting = "SET SESSION wsrep_sync_wait = 7"
    trail = f"SELECT details FROM audit WHERE noun = 'target' AND row_id = {row}"
    now = f"SELECT revision, description FROM target WHERE id = {row}"
    entries = node.execute(waiting, trail, database="ar_targets")
    written = Counter(json.loads(details).get("description") for (details,) in entries)
    found = [
        f"{node.name}: {text}: {written[text]} times"
        for text in done.values()
        if written[text] != 1
    ]
    [(number, text)] = node.execute(waiting, now, database="ar_targets")
    if number != len(entries) or number < max(done):
        found.append(f"{node.name}: {number} changes, {len(entries)} entries, {max(done)} told")
    if done.get(number, text) != text:
        found.append(f"{node.name}: {text}, not {done[number]}")
    return found
