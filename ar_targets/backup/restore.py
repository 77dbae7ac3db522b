"""Load a backup into an empty database."""

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from ..db.engine import error_number, error_text, server_variable
from . import vendor
from .create import CHUNK
from .manifest import BackupError, Manifest

DATABASE_EXISTS, ACCESS_DENIED_TO_DATABASE = 1007, 1044


def load(engine: Engine, url: URL, dump: Path, manifest: Manifest) -> None:
    """Load a dump whose checksum is right into an empty database. Raises BackupError."""
    server = vendor.vendor_of(engine)
    if server != manifest.vendor:
        raise BackupError(f"{dump} is of {manifest.vendor}, but the server is {server}")
    allowed = server_variable(engine, "max_allowed_packet")
    if allowed < manifest.longest_statement:
        raise BackupError(
            f"the server's max_allowed_packet is {allowed}, and the longest statement of {dump} "
            f"has {manifest.longest_statement} bytes"
        )
    with (
        gzip.open(dump) as archive,
        vendor.running(
            vendor.CLIENTS, server, url, "--max-allowed-packet=1G", stdin=subprocess.PIPE
        ) as process,
    ):
        if process.stdin is not None:
            shutil.copyfileobj(archive, process.stdin, CHUNK)


def empty(engine: Engine, *, replace: bool) -> None:
    """Ensure that the database has no tables; drop them if asked. Raises BackupError."""
    tables = inspect(engine).get_table_names()
    if tables and not replace:
        raise BackupError(
            f"the database {engine.url.database!r} is not empty; --replace drops its tables"
        )
    if tables:
        names = ", ".join(map(quoted, tables))
        with engine.connect() as connection:
            connection.execute(text("SET SESSION foreign_key_checks = 0"))
            connection.execute(text(f"DROP TABLE {names}"))
            # Its session has a setting that no other may inherit.
            connection.invalidate()


@contextmanager
def scratch_database(engine: Engine, name: str) -> Iterator[URL]:
    """A new database on the same server, dropped at the end. Raises BackupError."""
    with engine.connect() as connection:
        try:
            connection.execute(text(f"CREATE DATABASE {quoted(name)} CHARACTER SET utf8mb4"))
        except DBAPIError as error:
            raise BackupError(reason(error, name)) from None
    try:
        yield engine.url.set(database=name)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {quoted(name)}"))


def reason(error: DBAPIError, name: str) -> str:
    """Why a scratch database cannot be created."""
    match error_number(error.orig):
        case int(number) if number == DATABASE_EXISTS:
            return f"there is a database {name!r}; drop it, or name another one with --scratch"
        case int(number) if number == ACCESS_DENIED_TO_DATABASE:
            return f"as root of the server, GRANT ALL ON {quoted(name)}.* to the user of ar_targets"
    return f"cannot create the database {name!r}: {error_text(error.orig)}"


def quoted(name: str) -> str:
    """A name in a `text` statement, which takes what is behind a colon for a parameter."""
    return "`" + name.replace("`", "``").replace(":", "\\:") + "`"
