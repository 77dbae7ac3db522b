"""The database server's executable: finding, identifying, and installing it on Debian.

Used by ``database`` when a private database starts.
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

# Searched after PATH, which often lacks the sbin directories for ordinary users.
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

# These packages do not set up a system service, as the full ones do.
# The second pair has the names in Ubuntu 22.04.
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
    """No database server can be used; the message says why and what to do."""


@dataclass(frozen=True)
class Program:
    """A database server's executable: ``kind`` is ``mariadb`` or ``mysql``."""

    path: Path
    kind: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        """Kind and version, as recorded beside the data: ``mariadb 10.11.6``."""
        return f"{self.kind} {'.'.join(map(str, self.version))}"


def find_or_install(check: process.Check) -> Program:
    """The executable, installed first if that needs no password.

    Raises DatabaseUnavailable, or what ``check`` raises. An installation is not
    interrupted, since it could leave packages half installed.
    """
    program = find()
    if program is None and install():
        program = find()
    check()
    if program is None:
        raise DatabaseUnavailable(f"There is no database server on this machine. {WAYS_OUT}")
    return program


def find() -> Program | None:
    """The first executable whose version can be read; MariaDB before MySQL."""
    paths = (locate(name) for name in NAMES)
    return next((found for path in paths if path and (found := identify(path))), None)


def locate(name: str) -> Path | None:
    """The path of an executable: on PATH, or in one of `DIRECTORIES`; None if there is none."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), *DIRECTORIES]
    # An empty entry would mean the current directory.
    found = shutil.which(name, path=os.pathsep.join(filter(None, places)))
    return Path(found) if found else None


def identify(path: Path) -> Program | None:
    """Read kind and version from ``--version``: MariaDB also installs a mysqld."""
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
    """Install MariaDB's server with apt-get if root rights are available; whether it succeeded."""
    become_root = _become_root() if shutil.which("apt-get") else None
    if become_root is None:
        return False
    print("No database server found: installing MariaDB's by apt-get …", file=sys.stderr)
    apt_get = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    # A stale list of packages may be enough, so a failed update is ignored.
    _succeeds([*apt_get, "update"])
    options = ("install", "--yes", "--no-install-recommends")
    return any(_succeeds([*apt_get, *options, *packages]) for packages in PACKAGES)


def _become_root() -> list[str] | None:
    """The command prefix for root rights without a password prompt; None if there is none."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def _succeeds(command: Sequence[str]) -> bool:
    """Whether a command succeeds; its output is discarded.

    It runs in the foreground: sudo needs that, and Ctrl-C reaches the command.
    """
    return process.answer(command).returncode == 0
