"""The database's own programs: which dumps, which loads, and how they find the database.

Each server needs the programs of its own vendor: MySQL refuses what MariaDB's write for
generated columns. They get the password by an option file that its owner alone can read; the
command line shows it to all users of the machine.
"""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from ..db.engine import server_variable
from ..db.tls import is_verified
from .manifest import BackupError

MARIADB, MYSQL = "MariaDB", "MySQL"
DUMPERS = {MARIADB: "mariadb-dump", MYSQL: "mysqldump"}
CLIENTS = {MARIADB: "mariadb", MYSQL: "mysql"}
# A consistent snapshot; a row and a line for each INSERT, which are counted; a transaction for
# each table; images in hexadecimal. Tablespaces would need the privilege PROCESS.
DUMP_OPTIONS = (
    "--single-transaction",
    "--quick",
    "--hex-blob",
    "--skip-extended-insert",
    "--no-autocommit",
    "--no-tablespaces",
    "--max-allowed-packet=1G",
)
# The snapshot of one database has no business with the server's transaction ids.
VENDOR_OPTIONS = {MARIADB: (), MYSQL: ("--set-gtid-purged=OFF",)}
# As a comment, where the binary log goes on behind the snapshot. MariaDB tells everybody, without a
# lock; MySQL's tool would lock all tables of the server, which takes a right on all of it.
BINLOG_OPTIONS = {MARIADB: ("--master-data=2",), MYSQL: ()}
# What the drivers call it in the URL → in an option file.
FILES = {"ssl_ca": "ssl-ca", "ssl_cert": "ssl-cert", "ssl_key": "ssl-key"}
# TLS that verifies the server, TLS, and TLS if the server has it.
VERIFIED, REQUIRED, PREFERRED = "verified", "required", "preferred"
TLS: dict[str, dict[str, tuple[str, ...]]] = {
    MARIADB: {
        VERIFIED: ("ssl", "ssl-verify-server-cert"),
        REQUIRED: ("ssl", "skip-ssl-verify-server-cert"),
        PREFERRED: ("skip-ssl-verify-server-cert",),
    },
    MYSQL: {
        VERIFIED: ("ssl-mode=VERIFY_IDENTITY",),
        REQUIRED: ("ssl-mode=REQUIRED",),
        PREFERRED: ("ssl-mode=PREFERRED",),
    },
}


def vendor_of(engine: Engine) -> str:
    """Whose server it is."""
    with engine.connect() as connection:
        version = str(connection.scalar(text("SELECT VERSION()")))
    return MARIADB if MARIADB in version else MYSQL


def options_of(engine: Engine, vendor: str) -> tuple[str, ...]:
    """The options of the dump that depend on the server."""
    has_binlog = bool(server_variable(engine, "log_bin"))
    return VENDOR_OPTIONS[vendor] + (BINLOG_OPTIONS[vendor] if has_binlog else ())


def program(names: dict[str, str], vendor: str) -> str:
    """The path of a vendor's program. Raises BackupError where it is not installed."""
    name = names[vendor]
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"the server is {vendor}: install its {name}")
    told = subprocess.run(  # noqa: S603  # found above
        [found, "--version"], capture_output=True, text=True, check=False
    )
    if (MARIADB in told.stdout) != (vendor == MARIADB):
        raise BackupError(f"the server is {vendor}, but {found} is not its {name}")
    return found


@contextlib.contextmanager
def running(
    names: dict[str, str],
    vendor: str,
    url: URL,
    *options: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A vendor's program at work; stopped at the end if it has not ended by then.

    Raises BackupError with its last line if it fails.
    """
    path = program(names, vendor)
    with option_file(url, vendor) as file, tempfile.TemporaryFile() as errors:
        command = [path, f"--defaults-file={file}", *options, str(url.database)]
        process = subprocess.Popen(  # noqa: S603  # found by us
            command, stdin=stdin, stdout=stdout, stderr=errors
        )
        try:
            yield process
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            failed = process.wait() != 0
        except BrokenPipeError:
            failed = True
            with contextlib.suppress(BrokenPipeError):
                process.communicate()
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if failed:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit status {process.returncode}"
            raise BackupError(f"{names[vendor]} failed: {reason}")


@contextlib.contextmanager
def option_file(url: URL, vendor: str) -> Iterator[str]:
    """A file that says where the database is, and whose password it takes."""
    with tempfile.NamedTemporaryFile("w", prefix="ar_targets-", suffix=".cnf") as file:
        file.write("\n".join(["[client]", *option_lines(url, vendor), ""]))
        file.flush()
        yield file.name


def option_lines(url: URL, vendor: str) -> Iterator[str]:
    """Options that mean to the vendor's programs what the URL means to a driver."""
    yield f"user={quoted(url.username or '')}"
    yield f"password={quoted(str(url.password or ''))}"
    query = url.query
    if socket := query.get("unix_socket"):
        yield f"socket={quoted(str(socket))}"
    else:
        yield f"host={quoted(url.host or 'localhost')}"
        yield f"port={url.port or 3306}"
        yield "protocol=tcp"
    for name, option in FILES.items():
        if path := query.get(name):
            yield f"{option}={quoted(str(path))}"
    yield from TLS[vendor][tls(url)]


def tls(url: URL) -> str:
    """How far the tools trust the network."""
    if is_verified(url):
        return VERIFIED
    return REQUIRED if url.query.keys() & FILES.keys() else PREFERRED


def quoted(value: str) -> str:
    """A value in an option file, where a backslash escapes and # begins a comment."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
