"""``ar_targets_restore``: restore a soft-deleted row.

The rows that were deleted with it are restored too, those deleted earlier are
not. Without an id, it lists the rows deleted last.
"""

import argparse
import functools
import sys

from sqlalchemy import select

from ..clock import rfc3339
from ..db.engine import make_engine
from ..db.session import Database, in_transaction, transaction_scope
from ..models import soft_delete
from ..models.noun import SoftDeletable, nouns
from ..models.soft_delete import RestoreError
from .command import CommandError, parser, positive, run, settings_of

LISTED = 50
NOUNS = {noun.__tablename__: noun for noun in nouns(SoftDeletable)}


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser("Bring back what was deleted, with what was deleted along with it.")
    made.add_argument("noun", choices=NOUNS)
    made.add_argument(
        "id", type=positive(1), nargs="?", help=f"its id; without one, the last {LISTED} are listed"
    )
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """List deleted rows, or restore one in a single transaction."""
    engine = make_engine(settings_of(arguments.ini))
    try:
        if arguments.id is None:
            with transaction_scope(engine) as db:
                list_deleted(db, NOUNS[arguments.noun])
        else:
            noun, row_id = NOUNS[arguments.noun], arguments.id
            scope = functools.partial(transaction_scope, engine)
            print(in_transaction(scope, lambda db: restore(db, noun, row_id)))
    except RestoreError as refused:
        raise CommandError(str(refused)) from None


def restore(db: Database, noun: type[SoftDeletable], row_id: int) -> str:
    """Restore a row; the message to print."""
    name = noun.__tablename__
    along = soft_delete.restore(db, noun, row_id).items()
    return f"restored {name} {row_id}" + "".join(
        f" and {number} of the {name}'s {plural}" for plural, number in along
    )


def list_deleted(db: Database, noun: type[SoftDeletable]) -> None:
    """Print the rows deleted last, newest first."""
    deleted = select(noun.id, noun.deleted_at, noun.title())
    deleted = deleted.where(noun.deleted_at.is_not(None))
    rows = db.read(deleted.order_by(noun.deleted_at.desc()).limit(LISTED))
    for row_id, deleted_at, text in rows:
        print(f"{row_id}\t{rfc3339(deleted_at)}\t{text!r}")
    if not rows:
        print(f"no {noun.__tablename__} is deleted", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
