"""Where a private database keeps its data: one owner, one kind of server, never half made.

Used by ``database``. The directory holds

- ``data``: the server's own files;
- ``kind``: the server that made them, such as ``mariadb 10.11.6``;
- ``lock``: held by the owner, with its process id;
- ``server.log``;
- ``server.pid`` and ``socket``, while the server runs: their values.
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

# Filling a data directory takes seconds; an interrupted attempt is thrown away.
STOP_SECONDS = 5.0


class DataDirectory:
    """The directory and what a server needs of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        # How the server is told its data directory, and how its process is known again.
        self.option = f"--datadir={self.data}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Own the directory: two servers would spoil the data.

        The kernel gives the lock up with its owner, however that ends; the
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
        """See that there is data which this program may use. Raises DatabaseUnavailable."""
        if self.data.exists():
            self._refuse_foreign_data(found)
        else:
            self._initialise(found, check)

    def record(self, found: Program) -> None:
        """Remember which server the data belongs to from now on."""
        self.write("kind", str(found))

    def _refuse_foreign_data(self, found: Program) -> None:
        """MariaDB and MySQL spoil each other's data, and an older server a newer one's."""
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
        """Make the data.

        They get their name only when they are complete: an interrupted
        attempt leaves another name, which the next attempt removes.
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
        """The server's log, to write to."""
        return (self.directory / "server.log").open("ab")

    def log_tail(self) -> str:
        """The end of the log and its place, for an error message."""
        path = self.directory / "server.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"The end of {path}:", *lines[-15:]])

    def read(self, name: str) -> str:
        """What a file of the directory says; nothing if there is none."""
        try:
            return (self.directory / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def write(self, name: str, text: str) -> None:
        """Let a file of the directory say something: the whole of it, or what it said before."""
        new = self.directory / f"{name}.new"
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(self.directory / name)

    def forget(self, name: str) -> None:
        """Remove a file of the directory, if it is there."""
        (self.directory / name).unlink(missing_ok=True)


def temporary_tables_in(directory: Path | str) -> str:
    """The option for a directory of a server's own.

    A MariaDB that starts removes the temporary tables of all others that share its directory.
    """
    return f"--tmpdir={directory}"


def base_command(path: Path) -> list[str]:
    """A server's program with what comes first: none of the machine's options, and the user.

    Servers refuse to run as root unless they are told to. They cannot change
    to another user here: the data may lie in a directory only root can enter.
    """
    user = ["--user=root"] if os.geteuid() == 0 else []
    return [str(path), "--no-defaults", *user]


def _initialisation(found: Program, data: Path) -> list[str]:
    """The command that fills an empty data directory, its root account without a password."""
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
