"""Servers as in production, on one database, behind nginx."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ar_targets.development import process

from ..conftest import DRIVER, KEY, PRODUCTION
from ..edge.nginx import nginx
from ..ports import free_port
from ..soak.caller import Caller
from .node import HOST

REPLICAS = 3
START_SECONDS = 60.0
STOP_SECONDS = 40.0
REFUSED_ROLLBACK = "Failed to abort resource manager.*WSREP has not yet prepared node"


class Replica:
    """One of them; its port stays its own."""

    def __init__(self, ini: Path, log: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self._log, self._ini = log, ini
        self._environment = environment | {"AR_TARGETS_LISTEN": f"{HOST}:{self.port}"}
        self._running = ExitStack()
        self._server: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it, as in production."""
        command = [sys.executable, "-m", "pyramid.scripts.pserve", str(self._ini)]
        log = self._running.enter_context(self._log.open("ab"))
        self._server = self._running.enter_context(
            process.running(command, env=self._environment, output=log, stop_seconds=STOP_SECONDS)
        )

    def await_answer(self) -> None:
        """Until it can serve: its database too."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def answers(self) -> bool:
        with contextlib.closing(Caller(self.port)) as caller:
            return caller.ask("GET", "/health/ready").status == 200

    def stop(self) -> None:
        """Let it finish its requests, then end."""
        self._running.close()

    def kill(self) -> None:
        """End all of its processes in the middle of whatever they are at."""
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGKILL)
        self._running.close()


class Replicas:
    """All of them; ``port`` is nginx's."""

    def __init__(self, directory: Path, database_port: int, number: int = REPLICAS) -> None:
        self.port = 0
        self.directory, self.log = directory, directory / "servers.log"
        self.ini = directory / "server.ini"
        self.ini.write_text(PRODUCTION.read_text())
        self.environment = os.environ | {
            "AR_TARGETS_DATABASE_URL": f"mysql+{DRIVER}://ar_targets@{HOST}:{database_port}/ar_targets",
            "AR_TARGETS_DATABASE_CLUSTER": "galera",
            "AR_TARGETS_TRUSTED_PROXY": HOST,
            "AR_TARGETS_WORKERS": "1",
            "AR_TARGETS_JWT_KEYS": KEY,
            # All clients have one address, and try passwords that may have been changed.
            "AR_TARGETS_LOGIN_FAILURES": "100000 per 1 minute",
            "AR_TARGETS_LOGIN_FAILURES_PER_ADDRESS": "off",
            "AR_TARGETS_USER_CHANGE_RATE": "off",
        }
        self._all = [Replica(self.ini, self.log, self.environment) for _ in range(number)]

    @property
    def direct_port(self) -> int:
        """One server's own."""
        return self._all[0].port

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """With the schema in the database, and nginx in front."""
        (self.directory / "nginx").mkdir()
        with ExitStack() as undo:
            initdb = [sys.executable, "-m", "ar_targets.scripts.initdb", str(self.ini)]
            subprocess.run(initdb, env=self.environment, check=True, timeout=120)
            for replica in self._all:
                undo.callback(replica.stop)
                replica.launch()
            for replica in self._all:
                replica.await_answer()
            edge = nginx(self.directory / "nginx", *(replica.port for replica in self._all))
            self.port = undo.enter_context(edge).port
            yield

    def restart_in_turn(self) -> None:
        """As an upgrade does it: each one stops when the one before serves again."""
        for replica in self._all:
            replica.stop()
            replica.launch()
            replica.await_answer()

    def stop(self) -> None:
        for replica in self._all:
            replica.stop()

    def kill_one(self) -> None:
        replica = self._all[0]
        replica.kill()
        replica.launch()
        replica.await_answer()

    def bugs(self) -> list[str]:
        """What the servers' log says that it never should.

        A node outside the majority refuses even a ROLLBACK, and the package transaction logs
        that with its traceback. The client has been answered 503.
        """
        text = self.log.read_text(errors="replace")
        found = re.findall(r"^.*(?:Traceback|unexpected error).*$", text, re.MULTILINE)
        return [line for line in found if not re.search(REFUSED_ROLLBACK, line)]
