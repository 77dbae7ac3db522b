"""``ar_targets_restore``: bring back a user, project or target that was deleted.

What was deleted along with it comes back too, and nothing that had been
deleted before. Without an id, it lists what was deleted last.
"""

import argparse
import functools
import sys
from typing import Any

from sqlalchemy import select

from ..clock import rfc3339
from ..db.engine import make_engine
from ..db.session import Database, in_transaction, transaction_scope
from ..models import soft_delete
from ..models.project import Project
from ..models.soft_delete import RestoreError
from ..models.target import Target
from ..models.user import User
from .command import CommandError, parser, positive, run, settings_of

LISTED = 50
# Noun → its class, and the column by which people know a row.
NOUNS: dict[str, tuple[Any, Any]] = {
    "user": (User, User.login),
    "project": (Project, Project.name),
    "target": (Target, Target.description),
}


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
    """List, or restore in one transaction: all of it or nothing."""
    engine = make_engine(settings_of(arguments.ini))
    try:
        if arguments.id is None:
            with transaction_scope(engine) as db:
                list_deleted(db, arguments.noun)
        else:
            noun, row_id = arguments.noun, arguments.id
            scope = functools.partial(transaction_scope, engine)
            print(in_transaction(scope, lambda db: restore(db, noun, row_id)))
    except RestoreError as refused:
        raise CommandError(str(refused)) from None


def restore(db: Database, noun: str, row_id: int) -> str:
    """Bring it back; what to say then."""
    if noun == "user":
        projects = soft_delete.restore_user(db, row_id)
        return f"restored user {row_id} and {projects} of the user's projects"
    if noun == "project":
        soft_delete.restore_project(db, row_id)
    else:
        soft_delete.restore_target(db, row_id)
    return f"restored {noun} {row_id}"


def list_deleted(db: Database, noun: str) -> None:
    """Print the rows deleted last, newest first."""
    cls, label = NOUNS[noun]
    deleted = select(cls.id, cls.deleted_at, label).where(cls.deleted_at.is_not(None))
    rows = db.read(deleted.order_by(cls.deleted_at.desc()).limit(LISTED))
    for row_id, deleted_at, text in rows:
        print(f"{row_id}\t{rfc3339(deleted_at)}\t{text!r}")
    if not rows:
        print(f"no {noun} is deleted", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
