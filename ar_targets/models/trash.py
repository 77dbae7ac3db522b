"""Soft delete, and the way back.

Only rows that a client deletes are marked, with one exception: a user's live
projects are marked along with the user, because a mark is what frees their
names. Tokens and targets need none: every statement that serves them also
asks whether their project is live. So a project of a million targets is
deleted and restored by one row, and what comes back is exactly what went.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError

from .. import clock
from ..database import Database
from . import audit
from .project import project
from .statement import change
from .target import target
from .user import user


class RestoreError(Exception):
    """Why something cannot be brought back; for people. Nothing must be committed then."""


def delete_user(
    db: Database, user_id: int, revision: int | None = None, *, spare_admins: bool = False
) -> int | None:
    """Delete a live user with the live projects; the new revision, None where gone or changed.

    None, too, for an administrator where ``spare_admins``.

    The user's row comes first: creating a project locks its owner's row, so
    none can slip in between.
    """
    now = clock.now()
    unless = "is_admin" if spare_admins else None
    new = change(db, user, user_id, now, {"deleted_at": now}, revision=revision, unless=unless)
    if new is None:
        return None
    db.execute(
        update(project)
        .where(project.c.owner_id == user_id, project.c.deleted_at.is_(None))
        .values(_counted(project, now, deleted_at=now, deleted_with_owner=True))
    )
    return new


def delete_project(db: Database, project_id: int, revision: int | None = None) -> int | None:
    """Delete a live project, and so its tokens and targets; None where gone or changed."""
    now = clock.now()
    return change(db, project, project_id, now, {"deleted_at": now}, revision=revision)


def delete_target(db: Database, target_id: int, revision: int | None = None) -> int | None:
    """Delete a live target; None where gone or changed."""
    now = clock.now()
    return change(db, target, target_id, now, {"deleted_at": now}, revision=revision)


def restore_user(db: Database, user_id: int) -> int:
    """Bring back a user with the projects that went along; how many those are.

    Raises RestoreError.
    """
    found = _deleted(db, user, user_id)
    _restore(db, user, user.c.id == user_id, f"the login {found.login!r}")
    went_along = (project.c.owner_id == user_id) & project.c.deleted_with_owner
    rival = project.alias()
    taken = select(project.c.name).join(rival, rival.c.live_name_key == project.c.name_key)
    names = ", ".join(map(repr, db.execute(taken.where(went_along)).scalars()))
    what = f"the name of a project ({names})"
    projects = _restore(db, project, went_along, what, deleted_with_owner=False)
    audit.record(db, clock.now(), "restore", user.name, user_id, {"login": found.login})
    return projects


def restore_project(db: Database, project_id: int) -> None:
    """Bring back a project with its tokens and targets. Raises RestoreError."""
    found = _deleted(db, project, project_id)
    owner = select(user.c.deleted_at).where(user.c.id == found.owner_id).with_for_update(read=True)
    if db.execute(owner).scalar() is not None:
        raise RestoreError(
            f"project {project_id} belongs to user {found.owner_id}, who is deleted: "
            "restore the user first"
        )
    _restore(
        db,
        project,
        project.c.id == project_id,
        f"the name {found.name!r}",
        deleted_with_owner=False,
    )
    audit.record(db, clock.now(), "restore", project.name, project_id, {"name": found.name})


def restore_target(db: Database, target_id: int) -> None:
    """Bring back a target. Raises RestoreError."""
    found = _deleted(db, target, target_id)
    its_project = (
        select(project.c.deleted_at).where(project.c.id == found.project_id)
    ).with_for_update(read=True)
    if db.execute(its_project).scalar() is not None:
        raise RestoreError(
            f"target {target_id} belongs to project {found.project_id}, which is deleted: "
            "restore the project first"
        )
    _restore(db, target, target.c.id == target_id, "")
    shown = {"project_id": found.project_id, "description": found.description}
    audit.record(db, clock.now(), "restore", target.name, target_id, shown)


def _deleted(db: Database, table: Table, row_id: int) -> Any:
    """Lock and read a deleted row, blobs left out."""
    columns = [column for column in table.c if column.name != "image"]
    row = db.execute(select(*columns).where(table.c.id == row_id).with_for_update()).one_or_none()
    if row is None:
        raise RestoreError(f"there is no {table.name} {row_id}; it may have been purged")
    if row.deleted_at is None:
        raise RestoreError(f"{table.name} {row_id} is not deleted")
    if getattr(row, "purged_at", None) is not None:
        raise RestoreError(f"{table.name} {row_id} is being removed for good")
    return row


def _restore(db: Database, table: Table, condition: Any, what: str, **values: object) -> int:
    """Take the mark off rows; how many. A unique index says where a name is taken meanwhile."""
    values = _counted(table, clock.now(), deleted_at=None, **values)
    try:
        result: Any = db.execute(update(table).where(condition).values(values))
    except IntegrityError:
        raise RestoreError(
            f"{what} has been taken meanwhile; rename the other one, then try again"
        ) from None
    return int(result.rowcount)


def _counted(table: Table, now: datetime, **values: object) -> dict[str, object]:
    """The values of an UPDATE of several rows, each row's revision counted up."""
    return {"revision": table.c.revision + 1, "updated_at": now, **values}
