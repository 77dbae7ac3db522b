"""``ar_targets_purge``: remove rows that are no longer needed, and on request old deleted rows.

Meant to run on a schedule while the API serves requests: after each batch it pauses
for a multiple of the batch's duration, so that the database has most of its time
for requests, and for its own background work on the removed rows.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from .. import clock
from ..db.engine import make_engine
from ..db.session import transaction_scope
from ..models import purge, purge_result
from ..models.purge import Removal
from .command import CommandError, parser, positive, run, settings_of

# Rows per transaction, and the pause after it as a multiple of its duration. Requests are
# slowed by the size of a batch more than by a short pause: on busy processors the slowest of
# a hundred 304s took 1.6 times as long as without a purge, with 100 rows 2.3 times; with
# 1,000 rows and a pause as long as the batch, up to six times.
BATCH, RESTS = 30, 4
# By which this machine's clock may be ahead of the database's: what is removed is lost.
MOST_AHEAD = timedelta(minutes=5)


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser(
        "Remove expired and revoked tokens, expired sessions of the panel, old login attempts "
        "and old audit entries from the database."
    )
    made.add_argument(
        "--deleted-older-than",
        type=positive(0),
        metavar="DAYS",
        help="also remove for good the users, projects and targets deleted longer ago than that",
    )
    made.add_argument(
        "--batch",
        type=positive(1),
        default=BATCH,
        metavar="ROWS",
        help="rows to remove in one transaction (default: %(default)s; images: 50 at most)",
    )
    made.add_argument("--dry-run", action="store_true", help="only print what would be removed")
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """Remove or count rows; print a line for each kind of row."""
    settings = settings_of(arguments.ini)
    engine = make_engine(settings)
    now, days = clock.now(), arguments.deleted_older_than
    refuse_clock_ahead(engine, now)
    before = now - timedelta(days=days) if days is not None else None
    removed: Counter[str] = Counter()
    finished = False
    try:
        removals = [
            *purge.useless(now),
            purge.old_entries(now - timedelta(days=settings.audit_days)),
        ]
        if before is not None:
            if not arguments.dry_run:
                purge.mark_purged(lambda: transaction_scope(engine), before, now, arguments.batch)
            with transaction_scope(engine) as db:
                removals += purge.old_deleted(db, before, marked=not arguments.dry_run)
        removed.update({removal.name: 0 for removal in removals})
        if arguments.dry_run:
            count(engine, removals, removed)
        else:
            remove(engine, removals, arguments.batch, removed)
        finished = True
    finally:
        # Also after an error or Ctrl-C: the batches before it are committed.
        verb = "would remove" if arguments.dry_run else "removed"
        for name, number in removed.items():
            print(f"{verb} {number} {name}")
        if not arguments.dry_run:
            record(engine, removed, finished=finished)


def refuse_clock_ahead(engine: Engine, now: datetime) -> None:
    """Raises CommandError if this machine is ahead: it would remove what has not expired yet."""
    with transaction_scope(engine) as db:
        ahead = now - db.read(select(func.utc_timestamp(6)))[0][0]
    if ahead > MOST_AHEAD:
        raise CommandError(
            f"this machine's clock is {ahead.total_seconds():.0f} s ahead of the database's: "
            "nothing was removed; run NTP on both"
        )


def record(engine: Engine, removed: Mapping[str, int], *, finished: bool) -> None:
    """Store the numbers for ``/metrics``."""
    with transaction_scope(engine) as db:
        purge_result.add(db, removed, clock.now() if finished else None)


def count(engine: Engine, removals: Iterable[Removal], found: Counter[str]) -> None:
    """Count the rows of each kind, for ``--dry-run``."""
    with transaction_scope(engine) as db:
        for removal in removals:
            found[removal.name] += removal.count(db)


def remove(engine: Engine, removals: Iterable[Removal], batch: int, removed: Counter[str]) -> None:
    """Remove rows, pausing between batches; shows progress on a terminal."""
    shows = sys.stderr.isatty()
    for removal in removals:
        name, begun = removal.name, time.monotonic()
        for number in removal.remove(lambda: transaction_scope(engine), batch):
            removed[name] += number
            if shows:
                print(f"\r{removed[name]:,} {name}", end="", file=sys.stderr, flush=True)
            time.sleep(RESTS * (time.monotonic() - begun))
            begun = time.monotonic()
        if shows and removed[name]:
            print("\r\033[K", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
