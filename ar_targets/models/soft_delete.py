"""Soft delete and restore, for every noun that is `SoftDeletable`.

``deleted_at`` is set only on the row that a client deletes, and on its live children that are
`DeletedWithParent`. Other descendants are not updated: every statement that reads them for
clients also checks that their parent is live. So a project of a million targets is deleted and
restored by updating one row, and a restore brings back exactly what was deleted.
"""

from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from .. import clock
from ..db.session import Database
from . import audit, revocation
from .change import change, counted, lock_live
from .noun import (
    Audited,
    DeletedWithParent,
    Owned,
    Purgeable,
    SoftDeletable,
    children,
    parent,
    revoked_along,
)


class RestoreError(Exception):
    """Why a row cannot be restored, for the user; the transaction must be rolled back."""


class AliveError(RestoreError):
    """The row is not deleted."""


class TakenError(RestoreError):
    """A live row has the unique label by now."""


def delete(
    db: Database,
    noun: type[SoftDeletable],
    row_id: int,
    revision: int | None = None,
    *,
    only: ColumnElement[bool] | None = None,
) -> bool:
    """Soft-delete a live row, and the rows deleted with it.

    False where it is already deleted, where its revision is not the given one, or ``only`` is
    false for it.

    Rows that it has made are revoked with it, for good. The row itself is updated first: creating
    a child or another row of its own locks it, so none can be created in between.
    """
    now = clock.now()
    if change(db, noun, row_id, now, {"deleted_at": now}, revision=revision, only=only) is None:
        return False
    for child in deleted_along(noun):
        db.write(
            update(child)
            .where(child.parent_id() == row_id, child.alive())
            .values(counted(child, now, deleted_at=now, deleted_with_parent=True))
        )
    for made in revoked_along(noun):
        revocation.revoke_all(db, made, made.created_by == row_id)
    return True


def deleted_along(noun: type[SoftDeletable]) -> list[type[DeletedWithParent]]:
    """The nouns whose rows are soft-deleted with a row of this one."""
    return [child for child in children(noun) if issubclass(child, DeletedWithParent)]


def restore(
    db: Database, noun: type[SoftDeletable], row_id: int, *, parent_id: int | None = None
) -> dict[str, int]:
    """Restore a row and those deleted with it; returns how many of each other noun.

    Where ``parent_id`` is given, a row of another parent is treated as missing. Raises
    RestoreError.
    """
    found = _deleted(db, noun, row_id, parent_id)
    if issubclass(noun, Owned):
        _keep_parent(db, noun, found)
    own = {"deleted_with_parent": False} if issubclass(noun, DeletedWithParent) else {}
    label = getattr(found, noun.label)
    _restore(db, noun, noun.id == row_id, f"the {noun.label} {label!r}", **own)
    restored = {}
    for child in deleted_along(noun):
        along = (child.parent_id() == row_id) & child.deleted_with_parent
        what = f"the {child.label} of a {child.__tablename__} ({_rivals(db, child, along)})"
        restored[child.plural] = _restore(db, child, along, what, deleted_with_parent=False)
    audit.record(db, clock.now(), "restore", noun, row_id, found._asdict())
    return restored


def _deleted(db: Database, noun: type[SoftDeletable], row_id: int, parent_id: int | None) -> Any:
    """Lock and read a deleted row: its label, audited columns and parent. Raises RestoreError."""
    names = {"deleted_at", noun.label}
    if issubclass(noun, Audited):
        names |= {*noun.audited}
    if issubclass(noun, Owned):
        names |= {noun.parent_key}
    if issubclass(noun, Purgeable):
        names |= {"purged_at"}
    columns = [getattr(noun, name) for name in sorted(names)]
    statement = select(*columns).where(noun.id == row_id).with_for_update()
    if parent_id is not None and issubclass(noun, Owned):
        statement = statement.where(noun.parent_id() == parent_id)
    row = db.write(statement).one_or_none()
    name = noun.__tablename__
    if row is None:
        raise RestoreError(f"there is no {name} {row_id}; it may have been purged")
    if row.deleted_at is None:
        raise AliveError(f"{name} {row_id} is not deleted")
    if issubclass(noun, Purgeable) and row.purged_at is not None:
        raise RestoreError(f"{name} {row_id} is being removed for good")
    return row


def _keep_parent(db: Database, noun: type[Owned], found: Any) -> None:
    """Lock the parent of a row; raises RestoreError where it is deleted itself."""
    above, parent_id = parent(noun), getattr(found, noun.parent_key)
    if not lock_live(db, above, parent_id):
        name = above.__tablename__
        raise RestoreError(
            f"it belongs to {name} {parent_id}, which is deleted too: restore the {name} first"
        )


def _rivals(db: Database, noun: type[DeletedWithParent], condition: ColumnElement[bool]) -> str:
    """Labels of deleted rows that live rows use now."""
    rival: Any = aliased(noun)
    key = getattr(noun, f"{noun.label}_key")
    taken = select(getattr(noun, noun.label)).join(
        rival, getattr(rival, f"live_{noun.label}_key") == key
    )
    return ", ".join(repr(label) for (label,) in db.read(taken.where(condition)))


def _restore(
    db: Database,
    noun: type[SoftDeletable],
    condition: ColumnElement[bool],
    what: str,
    **values: object,
) -> int:
    """Clear ``deleted_at``; returns the row count. Raises RestoreError if a label is taken."""
    values = counted(noun, clock.now(), deleted_at=None, **values)
    try:
        return db.write(update(noun).where(condition).values(values)).rowcount
    except IntegrityError:
        raise TakenError(
            f"{what} has been taken meanwhile; rename the other one, then try again"
        ) from None
