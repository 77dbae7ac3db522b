"""The data directory of a private database.

Used by ``database``. The directory is locked by one process at a time, and holds

- ``data``: the server's own data directory, which exists only when it is complete;
- ``kind``: the server that created it, such as ``mariadb 10.11.6``;
- ``lock``: locked by the owner, with its process id;
- ``server.log``;
- ``server.pid`` and ``socket``: the server's process id and socket while it runs.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ar_targets.development import process, program
from ar_targets.development.program import DatabaseUnavailable, Program

# Timeout in seconds for stopping an interrupted initialisation, whose data is discarded.
STOP_SECONDS = 5.0


class DataDirectory:
    """The directory, and the files in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        # The server's option for its data directory; it also identifies the server's process.
        self.option = f"--datadir={self.data}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the directory: two servers would corrupt the data.

        The kernel releases the lock when the process ends, for whatever reason; the
        server does not inherit it. Raises DatabaseUnavailable.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = self.read("lock") or "unknown"
                raise DatabaseUnavailable(
                    f"The database in {self.directory} is already running (pid {owner})."
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def prepare(self, found: Program, check: process.Check) -> None:
        """Create the data, or check that this program can use it. Raises DatabaseUnavailable."""
        if self.data.exists():
            self._refuse_foreign_data(found)
        else:
            self._initialise(found, check)

    def record(self, found: Program) -> None:
        """Record the server that used the data last."""
        self.write("kind", str(found))

    def _refuse_foreign_data(self, found: Program) -> None:
        """Raise DatabaseUnavailable for data of another server.

        MariaDB and MySQL corrupt each other's data, and an older server that of a newer one.
        """
        maker = self.read("kind")
        kind, _, version = maker.partition(" ")
        numbers = tuple(int(number) for number in re.findall(r"\d+", version))
        if kind != found.kind or numbers[:2] > found.version[:2]:
            raise DatabaseUnavailable(
                f"The data in {self.data} was made by {maker or 'an unknown server'}, which "
                f"{found} ({found.path}) cannot use: install that server again, or move "
                f"{self.directory} away to begin with an empty database."
            )

    def _initialise(self, found: Program, check: process.Check) -> None:
        """Initialise the data.

        It gets its final name only when it is complete: an interrupted initialisation
        leaves another name, which the next one removes.
        """
        for remains in self.directory.glob("unfinished-*"):
            shutil.rmtree(remains, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.directory))
        with (
            self.log() as log,
            tempfile.TemporaryDirectory(prefix="unfinished-", dir=self.directory) as temporary,
            process.running(
                [*_initialisation(found, unfinished), temporary_tables_in(temporary)],
                output=log,
                stop_seconds=STOP_SECONDS,
            ) as made,
        ):
            if process.wait(made, check) != 0:
                raise DatabaseUnavailable(f"{found} could not make its data. {self.log_tail()}")
        unfinished.chmod(0o700)
        self.record(found)
        unfinished.rename(self.data)

    def log(self) -> BinaryIO:
        """The server's log, opened for appending."""
        return (self.directory / "server.log").open("ab")

    def log_tail(self) -> str:
        """The log's path and last lines, for an error message."""
        path = self.directory / "server.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"The end of {path}:", *lines[-15:]])

    def read(self, name: str) -> str:
        """The content of a file in the directory; empty if there is no such file."""
        try:
            return (self.directory / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def write(self, name: str, text: str) -> None:
        """Replace a file in the directory atomically."""
        new = self.directory / f"{name}.new"
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(self.directory / name)

    def forget(self, name: str) -> None:
        """Remove a file of the directory, if it is there."""
        (self.directory / name).unlink(missing_ok=True)


def temporary_tables_in(directory: Path | str) -> str:
    """The option for a temporary directory that no other server uses.

    At its start, MariaDB removes the temporary tables of all servers that share the directory.
    """
    return f"--tmpdir={directory}"


def base_command(path: Path) -> list[str]:
    """The beginning of a server's command: no option files, and the user.

    Servers refuse to run as root unless they are told to. They cannot switch to
    another user here: the data may be in a directory that only root can enter.
    """
    user = ["--user=root"] if os.geteuid() == 0 else []
    return [str(path), "--no-defaults", *user]


def _initialisation(found: Program, data: Path) -> list[str]:
    """The command that initialises a data directory, with a root account without a password."""
    if found.kind == "mysql":
        return [*base_command(found.path), f"--datadir={data}", "--initialize-insecure"]
    installer = program.locate("mariadb-install-db") or program.locate("mysql_install_db")
    if installer is None:
        raise DatabaseUnavailable(f"{found.path} lacks its mariadb-install-db. {program.WAYS_OUT}")
    return [
        *base_command(installer),
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
    ]
