"""``ar_targets_initdb``: wait for the database, then bring its schema to this version.

Several replicas may run it at once: one migrates, the others wait for it and
then find nothing to do.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from alembic import command

from ..db.engine import LOCK_WAIT_TIMEOUT, error_number, error_text, make_engine
from ..models import SCHEMA_REVISION
from .command import CommandError, parser, run, settings_of

# Seconds to wait for the lock while another process migrates.
LOCK_TIMEOUT = 600
# Seconds that a migration waits for the transactions that use its table: less than a request
# waits for the database (the setting database_timeout).
TABLE_LOCK_TIMEOUT = 2
UNKNOWN_DATABASE, ACCESS_DENIED, ACCESS_DENIED_TO_DATABASE = 1049, 1045, 1044


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser("Wait for the database and migrate its schema to this version of ar_targets.")
    made.add_argument(
        "--wait", type=float, default=60, metavar="SECONDS", help="for the database (default: 60)"
    )
    arguments = made.parse_args(argv)
    return run(lambda: initialise(arguments))


def initialise(arguments: argparse.Namespace) -> None:
    """Wait for the database, take the lock, run the migrations.

    A later schema is left alone: the version that has begun to replace this one brought it.
    """
    config = Config(arguments.ini)
    engine = make_engine(settings_of(arguments.ini))
    wait_for(engine, arguments.wait)
    with engine.connect() as connection, migration_lock(connection):
        config.attributes["connection"] = connection
        found = MigrationContext.configure(connection).get_current_revision()
        if found is None or found <= SCHEMA_REVISION:
            migrate(config, connection)
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    print(f"the schema is at {revision}")


def migrate(config: Config, connection: Connection) -> None:
    """Run the migrations; one that cannot get its table is tried again until `LOCK_TIMEOUT`.

    A migration waits for the transactions that use its table, and all later statements on that
    table wait behind it: so it waits for seconds only, and lets them pass. Each migration is one
    statement, so that one that has failed has changed nothing.
    """
    connection.execute(text(f"SET SESSION lock_wait_timeout = {TABLE_LOCK_TIMEOUT}"))
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            if error_number(error.orig) != LOCK_WAIT_TIMEOUT or time.monotonic() > deadline:
                raise
            connection.rollback()
            print("a long transaction (a backup?) uses a table; trying again", file=sys.stderr)
            time.sleep(TABLE_LOCK_TIMEOUT)
        else:
            connection.commit()
            return


def wait_for(engine: Engine, seconds: float) -> None:
    """Return when the database accepts a connection.

    Raises CommandError after ``seconds``, or at once for errors that do not go away.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect():
                return
        except DBAPIError as error:
            number = error_number(error.orig)
            hopeless = number in (UNKNOWN_DATABASE, ACCESS_DENIED, ACCESS_DENIED_TO_DATABASE)
            if hopeless or time.monotonic() > deadline:
                reason = f"({number}) {error_text(error.orig)}"
                raise CommandError(f"cannot use the database: {reason}") from None
        time.sleep(0.5)


@contextmanager
def migration_lock(connection: Connection) -> Iterator[None]:
    """Hold a lock on the database server (GET_LOCK); it also ends with the connection.

    Raises CommandError after `LOCK_TIMEOUT` seconds.
    """
    # Lock names are global to the server, and at most 64 characters long.
    lock = "CONCAT('ar_targets_initdb.', LEFT(SHA2(DATABASE(), 256), 40))"
    if connection.scalar(text(f"SELECT GET_LOCK({lock}, {LOCK_TIMEOUT})")) != 1:
        raise CommandError("another ar_targets_initdb has been at work for too long")
    try:
        yield
    finally:
        connection.execute(text(f"DO RELEASE_LOCK({lock})"))


if __name__ == "__main__":
    sys.exit(main())
