"""Clients at work while nodes and servers break; then each node is held against their word."""

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator

from sqlalchemy import create_engine

from ar_targets.db.base import Base

from ..soak.caller import Caller
from ..soak.check import Ledger, wrong_order
from ..soak.client import Client, Own
from ..soak.history import Entry
from ..soak.purger import Purger
from ..soak.shared import Shared
from .faults import AWAY_SECONDS, Faults
from .node import Node
from .report import Fault, Report
from .system import System

CLIENTS = 8
# Seconds in which every client has become a user, long before anything breaks.
START_SECONDS = 60.0


class Experiment:
    """Clients of a system. Random choices come from the seed; the threads' order does not."""

    def __init__(
        self, system: System, seed: int, *, pause: float = 0.1, away: float = AWAY_SECONDS
    ) -> None:
        """``away``: seconds after which what broke is started again."""
        self._system, self._seed = system, seed
        self._shared = Shared()
        # The first one only lays out what the others share.
        self._first = Client(0, seed, system.port, self._shared, pause)
        self._counted = self._lay_out()
        numbers = range(1, CLIENTS + 1)
        self._clients = [Client(n, seed, system.port, self._shared, pause) for n in numbers]
        self._purger = Purger(system.replicas)
        self._faults = Faults(system, away)

    def run(self, kinds: Iterable[str], between: float) -> Report:
        """Let the faults happen, with so many seconds after each."""
        began = time.monotonic()
        happened = []
        with self._working():
            for kind in kinds:
                time.sleep(between)
                struck = time.monotonic()
                self._faults.strike(kind)
                happened.append(Fault(kind, struck, time.monotonic()))
            time.sleep(between)
            ended = time.monotonic()
        everyone = [self._first, *self._clients]
        entries = [entry for client in everyone for entry in client.journal.entries]
        return Report(
            seed=self._seed,
            began=began,
            ended=ended,
            answers=[answer for client in self._clients for answer in client.caller.answers],
            entries=entries,
            faults=happened,
            purges=self._purger.codes,
            wrong=[
                *(complaint for client in everyone for complaint in client.wrong),
                *self._purger.wrong,
                *self._system.replicas.bugs(),
                *self._wrong(entries),
            ],
        )

    def _lay_out(self) -> Own:
        """A target that all clients count in."""
        first = self._first
        first.sign_up()
        first.create_project()
        first.create_token()
        [project] = first.projects
        counted = first.upload_described("0")
        first.caller.close()
        self._shared.counter = (counted.path, project.tokens[0].token)
        return counted

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        workers = [*self._clients, self._purger]
        for worker in workers:
            worker.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not all(client.projects for client in self._clients):
                wrong = [complaint for client in self._clients for complaint in client.wrong]
                assert not wrong
                assert time.monotonic() < deadline, "the clients do not get on"
                time.sleep(0.05)
            yield
        finally:
            for worker in workers:
                worker.stop()
            for worker in workers:
                worker.join()

    def _wrong(self, entries: list[Entry]) -> Iterator[str]:
        """Over HTTP, in SQL on each node, and of the nodes among each other."""
        aside = {("target", int(self._counted.path.rpartition("/")[2]))}
        yield from wrong_order(entries)
        # Past nginx, which limits how many images one address reads.
        with contextlib.closing(Caller(self._system.replicas.direct_port)) as caller:
            path, token = self._shared.counter
            counter = caller.ask("GET", path, token=token)
            yield from self._shared.wrong(int(counter.json["description"]))
            yield from Ledger(entries, aside).wrong_answers(caller)
        nodes = self._system.cluster.nodes
        for node in nodes:
            engine = create_engine(node.url())
            for wrong in Ledger(entries, aside).wrong_rows(engine):
                yield f"{node.name}: {wrong}"
            engine.dispose()
        self._system.replicas.stop()
        for table in Base.metadata.sorted_tables:
            first, *others = (rows(node, table.name) for node in nodes)
            for node, found in zip(nodes[1:], others, strict=True):
                if differing := first ^ found:
                    yield f"{node.name} has other rows in {table.name}: {list(differing)[:2]}"


def rows(node: Node, table: str) -> set[tuple[object, str]]:
    """The first column of each, and a checksum of all.

    CHECKSUM TABLE will not do: with virtual columns, MariaDB's differs for the same rows.
    """
    waiting = "SET SESSION wsrep_sync_wait = 7"
    found = node.execute(waiting, f"SELECT * FROM `{table}`", database="ar_targets")
    return {(row[0], hashlib.sha256(repr(row).encode()).hexdigest()) for row in found}
