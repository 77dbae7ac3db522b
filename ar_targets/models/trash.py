"""Soft delete, and the way back.

Only rows that a client deletes are marked, with one exception: a user's live
projects are marked along with the user, because a mark is what frees their
names. Tokens and targets need none: every statement that serves them also
asks whether their project is live. So a project of a million targets is
deleted and restored by one row, and what comes back is exactly what went.
"""

from datetime import datetime

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from .. import clock
from .meta import changed, live_row, modified
from .project import project
from .target import target
from .user import user


def delete_user(db: Session, user_id: int, revision: int | None = None) -> bool:
    """Delete a live user with the live projects; False where gone or changed.

    The user's row comes first: creating a project locks its owner's row, so
    none can slip in between.
    """
    now = clock.now()
    if not _delete(db, user, user_id, revision, now):
        return False
    db.execute(
        update(project)
        .where(project.c.owner_id == user_id, project.c.deleted_at.is_(None))
        .values(changed(project, now, deleted_at=now, deleted_with_owner=True))
    )
    return True


def delete_project(db: Session, project_id: int, revision: int | None = None) -> bool:
    """Delete a live project, and so its tokens and targets; False where gone or changed."""
    return _delete(db, project, project_id, revision, clock.now())


def delete_target(db: Session, target_id: int, revision: int | None = None) -> bool:
    """Delete a live target; False where gone or changed."""
    return _delete(db, target, target_id, revision, clock.now())


def _delete(db: Session, table: Table, row_id: int, revision: int | None, now: datetime) -> bool:
    values = changed(table, now, deleted_at=now)
    return modified(db, update(table).where(live_row(table, row_id, revision)).values(values))
