"""``ar_targets_backup``: back up the database while it is used, restore a backup, or try it.

``drill`` restores into a scratch database on the same server, compares that with the
backup's manifest, and drops it. It does not bring back what somebody deleted by mistake:
that is for ``ar_targets_restore``.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from .. import clock
from ..backup import restore
from ..backup.comparison import differences
from ..backup.create import create
from ..backup.directory import BackupDirectory
from ..backup.manifest import BackupError, Manifest, checked
from ..db.engine import make_engine, server_variable
from ..db.session import transaction_scope
from ..models import SCHEMA_REVISION, backup_result
from ..models.backup_result import Outcome
from ..settings import Settings
from . import initdb
from .command import CommandError, parser, positive, run, settings_of


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser("Back up the database while it is used, restore a backup, or try it.")
    actions = made.add_subparsers(required=True, metavar="create|restore|drill")

    one = actions.add_parser("create", help="make a backup, and store its result for /metrics")
    one.add_argument("directory", type=Path, help="where the files go")
    one.add_argument(
        "--keep", type=positive(1), metavar="N", help="afterwards remove all but the newest N"
    )
    one.add_argument("--keys", action="store_true", help="also copy the signing keys")
    one.set_defaults(work=make)

    one = actions.add_parser("restore", help="load a backup into the empty database, migrate it")
    one.add_argument("dump", type=Path, help="a .sql.gz file, or a directory: the newest in it")
    one.add_argument("--replace", action="store_true", help="drop the tables that are there")
    one.set_defaults(work=load)

    one = actions.add_parser("drill", help="restore into a scratch database, compare, drop it")
    one.add_argument("dump", type=Path, help="a .sql.gz file, or a directory: the newest in it")
    one.add_argument(
        "--scratch", metavar="NAME", help="of the scratch database (default: the name and _drill)"
    )
    one.set_defaults(work=drill)

    arguments = made.parse_args(argv)
    # Temporary files and programs at work are removed and stopped on the way out.
    before = signal.signal(signal.SIGTERM, leave)
    try:
        return run(lambda: work(arguments))
    finally:
        signal.signal(signal.SIGTERM, before)


def leave(_signal: int, _frame: object) -> NoReturn:
    """The handler of SIGTERM."""
    raise SystemExit(128 + signal.SIGTERM)


def work(arguments: argparse.Namespace) -> None:
    """Do what was asked for. Raises CommandError."""
    settings = settings_of(arguments.ini)
    try:
        arguments.work(arguments, settings, make_engine(settings))
    except BackupError as failure:
        raise CommandError(str(failure)) from None
    except OSError as failure:
        where = f"{failure.filename}: " if failure.filename else ""
        raise CommandError(f"{where}{failure.strerror or failure}") from None


def make(arguments: argparse.Namespace, settings: Settings, engine: Engine) -> None:
    """Make a backup, store its result, remove old ones."""
    directory = directory_of(arguments.directory, settings)
    begun = time.monotonic()
    with failure_recorded(engine, begun), directory.locked():
        made = create(engine, settings, directory, keys=arguments.keys)
        seconds = time.monotonic() - begun
        record(engine, "success", seconds, made.size)
        print(
            f"{directory.path / made.file}: {sum(made.rows.values())} rows of {len(made.rows)} "
            f"tables, {made.size} bytes, {seconds:.1f} s"
        )
        allowed = server_variable(engine, "max_allowed_packet")
        if allowed < made.longest_statement:
            print(
                f"to restore it, the server needs a max_allowed_packet of "
                f"{made.longest_statement} bytes; it has {allowed}",
                file=sys.stderr,
            )
        for name in directory.keep(arguments.keep) if arguments.keep else ():
            print(f"removed {name}")


@contextmanager
def failure_recorded(engine: Engine, begun: float) -> Iterator[None]:
    """Store for ``/metrics`` that the backup has failed, whatever the reason."""
    try:
        yield
    except BaseException:
        record(engine, "failure", time.monotonic() - begun)
        raise


def record(engine: Engine, outcome: Outcome, seconds: float, size: int = 0) -> None:
    """Store a result. That it cannot be stored is told, and changes nothing."""
    try:
        with transaction_scope(engine) as db:
            backup_result.store(db, outcome, clock.now(), seconds, size)
    except DBAPIError as error:
        # A backup before the migration to this version, or a database that is away.
        print(f"the result is not in the metrics: {error.orig}", file=sys.stderr)


def load(arguments: argparse.Namespace, settings: Settings, engine: Engine) -> None:
    """Restore a backup into the database of the settings, and migrate it."""
    dump, manifest = chosen(arguments.dump, settings)
    restore.empty(engine, replace=arguments.replace)
    restore.load(engine, settings.database_url, dump, manifest)
    raise_if_different(engine, dump, manifest)
    initdb.initialise(argparse.Namespace(ini=arguments.ini, wait=0))
    print(f"restored {told(dump, manifest)}")


def drill(arguments: argparse.Namespace, settings: Settings, engine: Engine) -> None:
    """Restore a backup into a scratch database, and compare."""
    dump, manifest = chosen(arguments.dump, settings)
    name = arguments.scratch or f"{settings.database_url.database}_drill"
    begun = time.monotonic()
    with restore.scratch_database(engine, name) as url:
        scratch = make_engine(replace(settings, database_url=url))
        try:
            restore.load(scratch, url, dump, manifest)
            raise_if_different(scratch, dump, manifest)
        finally:
            scratch.dispose()
    for table, number in manifest.rows.items():
        print(f"{table}: {number} rows")
    print(f"restored and compared {told(dump, manifest)} in {time.monotonic() - begun:.1f} s")


def chosen(path: Path, settings: Settings) -> tuple[Path, Manifest]:
    """A backup that is whole, and not newer than this version. Raises BackupError."""
    dump = directory_of(path, settings).newest() if path.is_dir() else path
    manifest = checked(dump)
    if manifest.schema_revision > SCHEMA_REVISION:
        raise BackupError(f"{dump} is of version {manifest.version}: restore it with that one")
    return dump, manifest


def directory_of(path: Path, settings: Settings) -> BackupDirectory:
    """The backups of the settings' database in a directory."""
    return BackupDirectory(path, str(settings.database_url.database))


def raise_if_different(engine: Engine, dump: Path, manifest: Manifest) -> None:
    """Raises BackupError if the database is not what the manifest says."""
    for line in (found := differences(engine, manifest)):
        print(line)
    if found:
        raise BackupError(f"{dump} is not what its manifest says: {len(found)} differences")


def told(dump: Path, manifest: Manifest) -> str:
    """A backup in a line of output."""
    return (
        f"{dump.name} of {manifest.created_at}: {sum(manifest.rows.values())} rows, "
        f"schema {manifest.schema_revision}"
    )


if __name__ == "__main__":
    sys.exit(main())
