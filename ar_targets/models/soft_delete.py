"""Soft delete, and the way back.

Only rows that a client deletes are marked, with one exception: a user's live
projects are marked along with the user, because a mark is what frees their
names. Tokens and targets need none: every statement that serves them also
asks whether their project is live. So a project of a million targets is
deleted and restored by one row, and what comes back is exactly what went.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from .. import clock
from ..db.base import Deletable
from ..db.session import Database
from . import audit
from .change import change, lock_live
from .project import Project
from .target import Target
from .user import User


class RestoreError(Exception):
    """Why something cannot be brought back; for people. Nothing must be committed then."""


def delete_user(
    db: Database, user_id: int, revision: int | None = None, *, spare_admins: bool = False
) -> bool:
    """Delete a live user with the live projects; False where gone or changed.

    False, too, for an administrator where ``spare_admins``.

    The user's row comes first: creating a project locks its owner's row, so
    none can slip in between.
    """
    now = clock.now()
    only = User.is_admin.is_(False) if spare_admins else None
    if not change(db, User, user_id, now, {"deleted_at": now}, revision=revision, only=only):
        return False
    db.write(
        update(Project)
        .where(Project.owner_id == user_id, Project.alive())
        .values(_counted(Project, now, deleted_at=now, deleted_with_owner=True))
    )
    return True


def delete_project(db: Database, project_id: int, revision: int | None = None) -> bool:
    """Delete a live project, and so its tokens and targets; False where gone or changed."""
    now = clock.now()
    values = {"deleted_at": now}
    return change(db, Project, project_id, now, values, revision=revision) is not None


def delete_target(db: Database, target_id: int, revision: int | None = None) -> bool:
    """Delete a live target; False where gone or changed."""
    now = clock.now()
    values = {"deleted_at": now}
    return change(db, Target, target_id, now, values, revision=revision) is not None


def restore_user(db: Database, user_id: int) -> int:
    """Bring back a user with the projects that went along; how many those are.

    Raises RestoreError.
    """
    found = _deleted(db, User, user_id)
    _restore(db, User, User.id == user_id, f"the login {found.login!r}")
    went_along = (Project.owner_id == user_id) & Project.deleted_with_owner
    rival = aliased(Project)
    taken = select(Project.name).join(rival, rival.live_name_key == Project.name_key)
    names = ", ".join(repr(name) for (name,) in db.read(taken.where(went_along)))
    what = f"the name of a project ({names})"
    projects = _restore(db, Project, went_along, what, deleted_with_owner=False)
    audit.record(db, clock.now(), "restore", User, user_id, {"login": found.login})
    return projects


def restore_project(db: Database, project_id: int) -> None:
    """Bring back a project with its tokens and targets. Raises RestoreError."""
    found = _deleted(db, Project, project_id)
    if not lock_live(db, User, found.owner_id):
        raise RestoreError(
            f"project {project_id} belongs to user {found.owner_id}, who is deleted: "
            "restore the user first"
        )
    _restore(
        db,
        Project,
        Project.id == project_id,
        f"the name {found.name!r}",
        deleted_with_owner=False,
    )
    audit.record(db, clock.now(), "restore", Project, project_id, {"name": found.name})


def restore_target(db: Database, target_id: int) -> None:
    """Bring back a target. Raises RestoreError."""
    found = _deleted(db, Target, target_id)
    if not lock_live(db, Project, found.project_id):
        raise RestoreError(
            f"target {target_id} belongs to project {found.project_id}, which is deleted: "
            "restore the project first"
        )
    _restore(db, Target, Target.id == target_id, "")
    shown = {"project_id": found.project_id, "description": found.description}
    audit.record(db, clock.now(), "restore", Target, target_id, shown)


def _deleted(db: Database, noun: type[Deletable], row_id: int) -> Any:
    """Lock and read a deleted row, blobs left out."""
    columns = [column for column in inspect(noun).columns if column.name != "image"]
    row = db.write(select(*columns).where(noun.id == row_id).with_for_update()).one_or_none()
    name = noun.__tablename__
    if row is None:
        raise RestoreError(f"there is no {name} {row_id}; it may have been purged")
    if row.deleted_at is None:
        raise RestoreError(f"{name} {row_id} is not deleted")
    if getattr(row, "purged_at", None) is not None:
        raise RestoreError(f"{name} {row_id} is being removed for good")
    return row


def _restore(
    db: Database, noun: type[Deletable], condition: Any, what: str, **values: object
) -> int:
    """Take the mark off rows; how many. A unique index says where a name is taken meanwhile."""
    values = _counted(noun, clock.now(), deleted_at=None, **values)
    try:
        return db.write(update(noun).where(condition).values(values)).rowcount
    except IntegrityError:
        raise RestoreError(
            f"{what} has been taken meanwhile; rename the other one, then try again"
        ) from None


def _counted(noun: type[Deletable], now: datetime, **values: object) -> dict[str, Any]:
    """The values of an UPDATE of several rows, each row's revision counted up."""
    return {"revision": noun.revision + 1, "updated_at": now, **values}
