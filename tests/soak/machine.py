"""A database and a server, each behind a proxy, which may be killed and started again."""

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
from typing import Self

from ar_targets.development import process
from ar_targets.development.database import PrivateDatabase

from ..conftest import DRIVER, INI, KEY, migrate
from ..ports import free_port
from .caller import Caller
from .proxy import HOST, Proxy

PRODUCTION = INI.with_name("production.ini")
MIB = 2**20
START_SECONDS = 60.0
STOP_SECONDS = 40.0
# Seconds within which granian takes a second death of a worker for a failure to start.
WORKER_SECONDS = 6.0
# Seconds that the server waits for the database; see `ar_targets.database_timeout`.
DATABASE_TIMEOUT = 3


class Machine:
    """What the clients talk to. ``durable=False`` breaks the database's word on purpose."""

    def __init__(
        self,
        directory: Path,
        *,
        disk: Path | None = None,
        durable: bool = True,
        driver: str = f"mysql+{DRIVER}",
        database_timeout: int = DATABASE_TIMEOUT,
    ) -> None:
        self._disk = disk or directory
        self._data = self._disk / "database"
        self._driver, self._database_timeout = driver, database_timeout
        self._database = PrivateDatabase(self._data, durable=durable)
        self._server: subprocess.Popen[bytes] | None = None
        self._running = ExitStack()
        self._worker_killed = 0.0
        self.server_port = free_port()
        self.to_database = Proxy(self._socket)
        self.to_server = Proxy(lambda: self.server_port)
        self.log = directory / "server.log"
        self.ini = directory / "server.ini"

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._running.close)
            undo.callback(self._database.stop)
            self._database.start()
            self._database.create_database("ar_targets")
            undo.enter_context(self.to_database)
            undo.enter_context(self.to_server)
            migrate(self.url)
            self._write_ini()
            undo.callback(self.stop_server)
            self.start_server()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @property
    def url(self) -> str:
        """The database's URL, past the proxy; it changes with every start."""
        return self._database.url()

    @property
    def environment(self) -> dict[str, str]:
        """What the server and the commands are told."""
        port = self.to_database.port
        return os.environ | {
            "AR_TARGETS_DATABASE_URL": f"{self._driver}://root@{HOST}:{port}/ar_targets",
            "AR_TARGETS_LISTEN": f"{HOST}:{self.server_port}",
            "AR_TARGETS_DATABASE_TIMEOUT": str(self._database_timeout),
            "AR_TARGETS_JWT_KEYS": KEY,
            # All clients have one address, and try passwords that may have been changed.
            "AR_TARGETS_LOGIN_FAILURES": "100000 per 1 minute",
            "AR_TARGETS_LOGIN_FAILURES_PER_ADDRESS": "off",
        }

    @property
    def workers(self) -> list[int]:
        """The server's processes that answer requests."""
        assert self._server is not None
        pid = self._server.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def _socket(self) -> str:
        """Where the database listens now."""
        try:
            return self._database.socket
        except RuntimeError as away:
            raise ConnectionRefusedError from away

    def kill_database(self) -> None:
        """End it in the middle of whatever it is at."""
        os.kill(self._database_pid(), signal.SIGKILL)
        self._database.stop()

    @contextlib.contextmanager
    def stopped_database(self) -> Iterator[None]:
        """Let it do nothing for a while: it keeps its connections, and takes new ones mutely."""
        pid = self._database_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _database_pid(self) -> int:
        return int((self._data / "server.pid").read_text())

    def database_runs(self) -> bool:
        """Whether it has not ended by itself."""
        try:
            state = Path(f"/proc/{self._database_pid()}/stat").read_text()
        except FileNotFoundError:
            return False
        return not state.rpartition(") ")[2].startswith("Z")

    def start_database(self) -> None:
        """Let it repair itself; it answers then."""
        self._database.start()

    def restart_database(self) -> None:
        """As whoever minds it does when it has ended."""
        self._database.stop()
        self._database.start()

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave the database no room for more."""
        ballast = self._disk / "ballast"
        try:
            # Without a buffer, which could not be written when the file is closed.
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(MIB))
            yield
        finally:
            ballast.unlink()

    def kill_server(self) -> None:
        """End all of its processes in the middle of whatever they are at."""
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGKILL)
        self._running.close()

    def kill_worker(self) -> None:
        """End one of the processes that answer; the server starts another.

        One that dies again at once would be taken for one that cannot start.
        """
        time.sleep(max(0.0, self._worker_killed + WORKER_SECONDS - time.monotonic()))
        os.kill(self.workers[0], signal.SIGKILL)
        self._worker_killed = time.monotonic()

    def start_server(self) -> None:
        """Start it as in production; it answers then."""
        log = self._running.enter_context(self.log.open("ab"))
        command = [sys.executable, "-m", "pyramid.scripts.pserve", str(self.ini)]
        self._server = self._running.enter_context(
            process.running(command, env=self.environment, output=log, stop_seconds=STOP_SECONDS)
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def stop_server(self) -> None:
        """Let it finish its requests, then end."""
        self._running.close()

    def answers(self) -> bool:
        """Whether the server takes requests."""
        with contextlib.closing(Caller(self.server_port)) as caller:
            return caller.ask("GET", "/health/live").status == 200

    def said(self, text: str) -> bool:
        """Whether the server's log has it."""
        return text in self.log.read_text(errors="replace")

    def last_words(self) -> str:
        """The ends of the logs of server and database."""
        logs = (self.log, *self.log.parent.glob("**/server.log"))
        return "\n".join(f"{log}:\n{log.read_text(errors='replace')[-2000:]}" for log in logs)

    def bugs(self) -> list[str]:
        """What the server's log says that it never should."""
        text = self.log.read_text(errors="replace")
        return re.findall(r"^.*(?:Traceback|unexpected error).*$", text, re.MULTILINE)

    def _write_ini(self) -> None:
        self.ini.write_text(PRODUCTION.read_text())


@contextlib.contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes, which takes the right to mount one."""
    directory.mkdir()
    options = f"size={megabytes}m,mode=700"
    mounted = process.answer(["mount", "-t", "tmpfs", "-o", options, "soak", str(directory)])
    if mounted.returncode:
        raise PermissionError(mounted.stderr.strip())
    try:
        yield directory
    finally:
        process.answer(["umount", "--lazy", str(directory)])
