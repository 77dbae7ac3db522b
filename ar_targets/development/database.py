"""A private MariaDB or MySQL server, for development and tests.

Used by ``serve`` and by the tests. It needs no port, password, root rights or
system service: the server listens on a Unix socket in a directory that only its
owner can enter, and is stopped by the process that started it.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import pymysql

from ar_targets.development import process, program
from ar_targets.development.data_directory import (
    DataDirectory,
    base_command,
    temporary_tables_in,
)
from ar_targets.development.program import DatabaseUnavailable, Program
from ar_targets.development.supplied import url_of

__all__ = ["DatabaseUnavailable", "PrivateDatabase"]

START_SECONDS = 60.0
STOP_SECONDS = 30.0

SOCKET_DIRECTORY_PREFIX = "ar-targets-"
# sun_path has room for 108 bytes on Linux and 104 on macOS, including the final zero.
SOCKET_PATH_BYTES = 103

# No binary log, which only replication needs, and little memory, on a developer's machine.
# PyMySQL sends bytes in hexadecimal, so a packet must have room for twice an image.
OPTIONS = (
    "--skip-networking",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--max-allowed-packet=64M",
    "--innodb-buffer-pool-size=128M",
    "--performance-schema=OFF",
)
# The X Protocol would open another socket at a fixed path. The directory for LOAD DATA and
# the like must be readable unless it is NULL.
MYSQL_OPTIONS = ("--mysqlx=OFF", "--secure-file-priv=NULL")
# Do not wait for the disk: for data that may be lost in a power failure.
THROW_AWAY_OPTIONS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--sync-binlog=0",
)


class PrivateDatabase:
    """A database server with its data in ``directory``, from `start` to `stop`.

    ``durable=False`` does not wait for the disk, for tests. ``check`` is called
    repeatedly during the start, and may raise to abort it. ``options`` are the server's own, behind
    and thus before ours.
    """

    def __init__(
        self,
        directory: Path,
        *,
        durable: bool = True,
        check: process.Check = process.never,
        options: Sequence[str] = (),
    ) -> None:
        self._directory = DataDirectory(directory)
        self._options = options
        self._durable = durable
        self._check = check
        self._socket: Path | None = None
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.stop()

    def start(self) -> None:
        """Start the server, with new data if there is none, and wait until it accepts connections.

        Raises DatabaseUnavailable, or what ``check`` raises; the server is stopped then.
        """
        found = program.find_or_install(self._check)
        with ExitStack() as undo:
            undo.enter_context(self._directory.locked())
            self._stop_leftover()
            self._directory.prepare(found, self._check)
            undo.enter_context(self._socket_directory())
            server = undo.enter_context(self._server(found))
            self._await_answer(server)
            self._directory.record(found)
            self._undo = undo.pop_all()

    def stop(self) -> None:
        """Shut the server down; does nothing if it is not running."""
        self._undo.close()

    def url(self, database: str = "ar_targets") -> str:
        """The database's URL for SQLAlchemy; the socket in it changes with every start."""
        return url_of(self.socket, database)

    @property
    def socket(self) -> str:
        """The path of the server's socket."""
        if self._socket is None:
            raise RuntimeError("the database server is not running")
        return str(self._socket)

    def create_database(self, name: str) -> None:
        """Create a database with utf8mb4, unless it exists."""
        if not re.fullmatch("[A-Za-z0-9_]+", name):
            raise ValueError(f"not a database name: {name!r}")
        with (
            pymysql.connect(unix_socket=self.socket, user="root") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")

    def _stop_leftover(self) -> None:
        """Stop the server of a process that was killed: two servers would corrupt the data."""
        pid = self._directory.read("server.pid")
        if pid.isdecimal():
            process.stop_stranger(int(pid), self._directory.option, STOP_SECONDS)
        remains = Path(self._directory.read("socket")).parent
        if remains.name.startswith(SOCKET_DIRECTORY_PREFIX):
            shutil.rmtree(remains, ignore_errors=True)

    @contextmanager
    def _socket_directory(self) -> Iterator[None]:
        """Create a directory for the socket, and remove it on exit.

        Its mode, 0700 as set by mkdtemp, is the only protection of the root account,
        which has no password: other users cannot reach the socket, and there is no port.
        """
        directory = Path(tempfile.mkdtemp(prefix=SOCKET_DIRECTORY_PREFIX))
        try:
            self._socket = _short_enough(directory / "sock")
            self._directory.write("socket", self.socket)
            yield
        finally:
            self._socket = None
            shutil.rmtree(directory, ignore_errors=True)
            self._directory.forget("socket")

    @contextmanager
    def _server(self, found: Program) -> Iterator[subprocess.Popen[bytes]]:
        """Run the server process."""
        command = self._server_command(found)
        try:
            with (
                self._directory.log() as log,
                process.running(command, output=log, stop_seconds=STOP_SECONDS) as server,
            ):
                yield server
        finally:
            self._directory.forget("server.pid")

    def _server_command(self, found: Program) -> list[str]:
        """The command that starts the server.

        A shell writes its process id to a file and then execs the server, so that
        the next start finds the server even if this process was killed.
        """
        pid_file = str(self._directory.directory / "server.pid")
        return [
            *("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', pid_file),
            *base_command(found.path),
            self._directory.option,
            temporary_tables_in(Path(self.socket).parent),
            f"--socket={self.socket}",
            *OPTIONS,
            *(MYSQL_OPTIONS if found.kind == "mysql" else ()),
            *(() if self._durable else THROW_AWAY_OPTIONS),
            *self._options,
        ]

    def _await_answer(self, server: subprocess.Popen[bytes]) -> None:
        """Wait until the server accepts a connection. Raises DatabaseUnavailable."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            ended = server.poll() is not None
            if ended or time.monotonic() > deadline:
                what = "ended" if ended else f"did not answer in {START_SECONDS:.0f} seconds"
                raise DatabaseUnavailable(
                    f"The database server {what}. {self._directory.log_tail()}"
                )
            self._check()
            time.sleep(process.POLL_SECONDS)

    def _answers(self) -> bool:
        """Whether the server accepts a connection.

        Connects a socket of our own: PyMySQL leaks its socket if the connection is refused.
        """
        try:
            with socket.socket(socket.AF_UNIX) as plain:
                plain.connect(self.socket)
                connection = pymysql.connect(user="root", defer_connect=True)
                connection.connect(plain)
                connection.close()
        except (OSError, pymysql.OperationalError):
            return False
        return True


def _short_enough(path: Path) -> Path:
    """The socket's path. Raises DatabaseUnavailable if it is too long for ``sun_path``."""
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
        raise DatabaseUnavailable(
            f"The path {path} is too long for a socket: set TMPDIR to a shorter directory."
        )
    return path
