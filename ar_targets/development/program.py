"""The database server program: finding it, telling its kind, and installing it on Debian.

Called by ``database`` when a private database starts.
"""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ar_targets.development import process

NAMES = ("mariadbd", "mysqld")

# Looked into after PATH, on which an ordinary user seldom has the sbin directories.
DIRECTORIES = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/usr/local/opt/mariadb/bin",
    "/usr/local/opt/mysql/bin",
    "/home/linuxbrew/.linuxbrew/bin",
)

# Without the service that the full packages set up: the private server is all that runs.
# The second pair is how Ubuntu 22.04 calls them.
PACKAGES = (
    ("mariadb-server-core", "mariadb-client-core"),
    ("mariadb-server-core-10.6", "mariadb-client-core-10.6"),
)

WAYS_OUT = (
    "Install MariaDB or MySQL; or set AR_TARGETS_DATABASE_URL (or ar_targets.database_url in "
    "the ini file) to a server of your own; or start one with Docker, and set the URL to it: "
    "docker run -e MYSQL_ROOT_PASSWORD=… -e MYSQL_DATABASE=ar_targets -p 3306:3306 mysql:8.4"
)


class DatabaseUnavailable(Exception):  # noqa: N818  # the name says it all
    """There is no database to work with; the message says why and what to do, in one line."""


@dataclass(frozen=True)
class Program:
    """A database server's program: ``kind`` is ``mariadb`` or ``mysql``."""

    path: Path
    kind: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        """Name and version, as written beside the data they made: ``mariadb 10.11.6``."""
        return f"{self.kind} {'.'.join(map(str, self.version))}"


def find_or_install(check: process.Check) -> Program:
    """The program, installed first where that can be done without asking.

    Raises DatabaseUnavailable, or what ``check`` raises. An installation that
    has begun is let finish: half of one would be the machine's problem.
    """
    program = find()
    if program is None and install():
        program = find()
    check()
    if program is None:
        raise DatabaseUnavailable(f"There is no database server on this machine. {WAYS_OUT}")
    return program


def find() -> Program | None:
    """The first program that is there and tells its version; MariaDB's before MySQL's."""
    paths = (locate(name) for name in NAMES)
    return next((found for path in paths if path and (found := identify(path))), None)


def locate(name: str) -> Path | None:
    """Where a program lies: on PATH, or in one of the usual places."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), *DIRECTORIES]
    # An empty place would mean the current directory.
    found = shutil.which(name, path=os.pathsep.join(filter(None, places)))
    return Path(found) if found else None


def identify(path: Path) -> Program | None:
    """Ask a program what it is; its name proves nothing, for MariaDB also installs a mysqld."""
    try:
        answer = process.answer([path, "--no-defaults", "--version"])
    except OSError:
        return None
    version = re.search(r"Ver (\d+)\.(\d+)\.(\d+)", answer.stdout)
    if version is None:
        return None
    major, minor, patch = map(int, version.groups())
    kind = "mariadb" if "MariaDB" in answer.stdout else "mysql"
    return Program(path, kind, (major, minor, patch))


def install() -> bool:
    """Install MariaDB's server by apt-get, given the right to do so; whether that worked."""
    become_root = _become_root() if shutil.which("apt-get") else None
    if become_root is None:
        return False
    print("No database server found: installing MariaDB's by apt-get …", file=sys.stderr)
    apt_get = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    # A stale list of packages may still do, so a failed update does not end the matter.
    _succeeds([*apt_get, "update"])
    options = ("install", "--yes", "--no-install-recommends")
    return any(_succeeds([*apt_get, *options, *packages]) for packages in PACKAGES)


def _become_root() -> list[str] | None:
    """What to put before a command to run it as root without a question; None if impossible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def _succeeds(command: Sequence[str]) -> bool:
    """Run a command, its output thrown away.

    In the foreground, which sudo needs; and Ctrl-C does to apt-get what it
    does when that is typed by hand.
    """
    return process.answer(command).returncode == 0
