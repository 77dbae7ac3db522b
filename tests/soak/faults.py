"""What breaks, one after the other, and how soon the server is itself again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .caller import Caller
from .machine import DATABASE_TIMEOUT, Machine

# Longer than the server waits for an answer of the database's.
FREEZE_SECONDS = DATABASE_TIMEOUT + 5


@dataclass(frozen=True)
class Fault:
    """One that happened: when it began and when its cause was gone; when all was well again.

    ``tries`` counts the requests that it took to find that out; after most faults
    the first must succeed.
    """

    kind: str
    began: float
    ended: float
    recovered: float
    tries: int


class Faults:
    """All kinds of them, on a machine; ``probe`` makes a request that reads and one that writes."""

    def __init__(
        self, machine: Machine, chance: random.Random, probe: Callable[[Caller], bool]
    ) -> None:
        self._machine, self._chance, self._probe = machine, chance, probe
        self.happened: list[Fault] = []

    def strike(self, kind: str) -> Fault:
        """Let it happen, end its cause, and wait until the server is well."""
        began = time.monotonic()
        KINDS[kind](self)
        ended = time.monotonic()
        caller, tries = Caller(self._machine.server_port), 1
        while not self._probe(caller):
            assert time.monotonic() < ended + 60, f"no recovery from: {kind}"
            tries += 1
            time.sleep(0.02)
        caller.close()
        self.happened.append(Fault(kind, began, ended, time.monotonic(), tries))
        return self.happened[-1]

    def kill_database(self) -> None:
        self._machine.kill_database()
        time.sleep(self._chance.uniform(0, 3))
        self._machine.start_database()

    def kill_server(self) -> None:
        self._machine.kill_server()
        self._machine.start_server()

    def kill_worker(self) -> None:
        self._machine.kill_worker()

    def cut_database(self) -> None:
        self._machine.to_database.cut(self._chance)

    def cut_clients(self) -> None:
        self._machine.to_server.cut(self._chance)

    def fill_disk(self) -> None:
        """Until a client has been refused for it, or the database has died of it.

        MariaDB 10.11 does so now and then: it looks for room over and over, and gives up.
        Whoever runs it starts it again.
        """
        with self._machine.full_disk():
            deadline = time.monotonic() + 60
            while self._machine.database_runs() and not self._machine.said("is full"):
                assert time.monotonic() < deadline, (
                    f"the disk does not get full: {self._machine.last_words()}"
                )
                time.sleep(0.1)
            time.sleep(2)
        if not self._machine.database_runs():
            self._machine.restart_database()

    def freeze_database(self) -> None:
        with self._machine.to_database.frozen():
            time.sleep(FREEZE_SECONDS)


KINDS = {
    "database killed": Faults.kill_database,
    "server killed": Faults.kill_server,
    "worker killed": Faults.kill_worker,
    "database connections cut": Faults.cut_database,
    "client connections cut": Faults.cut_clients,
    "database frozen": Faults.freeze_database,
    "disk full": Faults.fill_disk,
}
# What needs no small disk.
ANYWHERE = tuple(kind for kind in KINDS if kind != "disk full")
# After these the very first request must succeed: nothing had to be started anew
# but the database, which answers before the cause counts as gone.
FIRST_TRY = {"database killed", "database connections cut", "client connections cut", "disk full"}
KILLS = ("database killed", "server killed", "worker killed")


def schedule(each: int, chance: random.Random, among: tuple[str, ...] = ANYWHERE) -> list[str]:
    """So many of each kind, in a random order."""
    kinds = [kind for kind in among for _ in range(each)]
    chance.shuffle(kinds)
    return kinds
