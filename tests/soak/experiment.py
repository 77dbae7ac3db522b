"""An experiment: a machine, its clients and a purge at work, faults; then the check."""

import itertools
import random
import time
from collections.abc import Iterable

from sqlalchemy import create_engine

from .caller import Caller
from .check import Ledger, wrong_order
from .client import Client, Own
from .faults import FIRST_TRY, Fault, Faults
from .machine import Machine
from .purger import Purger
from .report import Report
from .shared import Shared

CLIENTS = 16
# Seconds in which every client has become a user, long before anything breaks.
START_SECONDS = 60.0


class Experiment:
    """Clients on a machine. Random choices come from the seed; the threads' order does not."""

    def __init__(
        self,
        machine: Machine,
        seed: int,
        *,
        clients: int = CLIENTS,
        pause: float = 0.1,
        alone: bool = True,
    ) -> None:
        """``alone``: whether nothing else keeps the machine busy, so that bounds in tries hold."""
        self.machine, self.seed, self.alone = machine, seed, alone
        self.chance = random.Random(seed)
        self.shared = Shared()
        port = machine.to_server.port
        # The first one only lays out what the others share, past the proxy.
        self._first = Client(0, seed, machine.server_port, self.shared, pause)
        self._app, self._counted, self._probed = self._lay_out()
        self._numbers = itertools.count(1)
        self.clients = [Client(n, seed, port, self.shared, pause) for n in range(1, clients + 1)]
        self.purger = Purger(machine)
        self.faults = Faults(machine, self.chance, self._probe)

    def run(self, kinds: Iterable[str], between: float) -> Report:
        """Let the faults happen, so many seconds after each other on average."""
        began = time.monotonic()
        workers = [*self.clients, self.purger]
        for worker in workers:
            worker.start()
        try:
            self._await_users(began)
            for kind in kinds:
                time.sleep(self.chance.uniform(0.5, 1.5) * between)
                self._watch(self.faults.strike(kind))
            time.sleep(between)
        finally:
            for worker in workers:
                worker.stop()
            for worker in workers:
                worker.join()
        seconds = time.monotonic() - began
        return self._report(seconds)

    def _lay_out(self) -> tuple[Own, Own, Own]:
        """A token, and two targets: one that all count in, and one to try the server with."""
        first = self._first
        first.sign_up()
        first.create_project()
        first.create_token()
        [project] = first.projects
        [app] = project.tokens
        made = [first.upload_described("0") for _ in range(2)]
        first.caller.close()
        assert app.token
        self.shared.counter = (made[0].path, app.token)
        return app, made[0], made[1]

    def _probe(self, caller: Caller) -> bool:
        """Read and write something."""
        token = self._app.token
        read = caller.ask("GET", self._counted.path, token=token)
        body = {"description": f"probe {next(self._numbers)}"}
        return (
            read.status == caller.ask("PATCH", self._probed.path, body, token=token).status == 200
        )

    def _await_users(self, began: float) -> None:
        while not all(client.projects for client in self.clients):
            assert time.monotonic() < began + START_SECONDS, "the clients do not get on"
            assert not any(client.wrong for client in self.clients), self.clients[0].wrong
            time.sleep(0.05)

    def _watch(self, fault: Fault) -> None:
        if self.alone and fault.kind in FIRST_TRY and fault.tries > 1:
            self._first.wrong.append(f"{fault.kind}: well again after {fault.tries} requests")

    def _report(self, seconds: float) -> Report:
        """Restart everything, so that nothing is under way or in memory, then check."""
        self.machine.stop_server()
        self.machine.kill_database()
        self.machine.start_database()
        self.machine.start_server()
        everyone = [self._first, *self.clients]
        entries = [entry for client in everyone for entry in client.journal.entries]
        wrong = [complaint for client in everyone for complaint in client.wrong]
        wrong += self.purger.wrong + self.machine.bugs()
        wrong += self._check(entries)
        return Report(
            seed=self.seed,
            seconds=seconds,
            clients=len(self.clients),
            answers=[answer for client in self.clients for answer in client.caller.answers],
            entries=entries,
            faults=self.faults.happened,
            purges=self.purger.codes,
            totals=self.shared.totals,
            wrong=wrong,
        )

    def _check(self, entries: list) -> list[str]:
        aside = {
            ("target", int(own.path.rpartition("/")[2])) for own in (self._counted, self._probed)
        }
        ledger = Ledger(entries, aside)
        engine = create_engine(self.machine.url)
        caller = Caller(self.machine.server_port)
        try:
            counter = caller.ask("GET", self._counted.path, token=self._app.token)
            return [
                *wrong_order(entries),
                *ledger.wrong_rows(engine),
                *ledger.wrong_answers(caller),
                *self.shared.wrong(int(counter.json["description"])),
            ]
        finally:
            caller.close()
            engine.dispose()
