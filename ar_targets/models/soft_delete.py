"""Soft delete, and the way back, for every noun that is `SoftDeletable`.

Only the row that a client deletes is marked, and with it the live rows below it that are
`DeletedWithParent`. Others below it need no mark: every statement that serves them also
asks whether their parent is live. So a project of a million targets is deleted and restored
by one row, and what comes back is exactly what went.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from .. import clock
from ..db.session import Database
from . import audit
from .change import change, lock_live
from .noun import (
    Audited,
    DeletedWithParent,
    Owned,
    Purgeable,
    SoftDeletable,
    children,
    parent,
)


class RestoreError(Exception):
    """Why something cannot be brought back; for people. Nothing must be committed then."""


def delete(
    db: Database,
    noun: type[SoftDeletable],
    row_id: int,
    revision: int | None = None,
    *,
    only: ColumnElement[bool] | None = None,
) -> bool:
    """Delete a live row, and what is deleted with it.

    False where it is gone, where its revision is not the given one, or ``only`` is false for it.

    The row itself comes first: creating a row below it locks it, so none can slip in between.
    """
    now = clock.now()
    if change(db, noun, row_id, now, {"deleted_at": now}, revision=revision, only=only) is None:
        return False
    for child in deleted_along(noun):
        db.write(
            update(child)
            .where(child.parent_id() == row_id, child.alive())
            .values(_counted(child, now, deleted_at=now, deleted_with_parent=True))
        )
    return True


def deleted_along(noun: type[SoftDeletable]) -> list[type[DeletedWithParent]]:
    """The nouns whose rows are marked along with a row of this one."""
    return [child for child in children(noun) if issubclass(child, DeletedWithParent)]


def restore(db: Database, noun: type[SoftDeletable], row_id: int) -> dict[str, int]:
    """Bring a row back with those that were deleted along with it; how many of each noun.

    Raises RestoreError.
    """
    found = _deleted(db, noun, row_id)
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


def _deleted(db: Database, noun: type[SoftDeletable], row_id: int) -> Any:
    """Lock and read a deleted row: what is shown of it, and what it is below."""
    names = {"deleted_at", noun.label}
    if issubclass(noun, Audited):
        names |= {*noun.audited}
    if issubclass(noun, Owned):
        names |= {noun.parent_key}
    if issubclass(noun, Purgeable):
        names |= {"purged_at"}
    columns = [getattr(noun, name) for name in sorted(names)]
    row = db.write(select(*columns).where(noun.id == row_id).with_for_update()).one_or_none()
    name = noun.__tablename__
    if row is None:
        raise RestoreError(f"there is no {name} {row_id}; it may have been purged")
    if row.deleted_at is None:
        raise RestoreError(f"{name} {row_id} is not deleted")
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
    """Labels of deleted rows that live rows have by now."""
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
    """Take the mark off rows; how many. A unique index says where a label is taken meanwhile."""
    values = _counted(noun, clock.now(), deleted_at=None, **values)
    try:
        return db.write(update(noun).where(condition).values(values)).rowcount
    except IntegrityError:
        raise RestoreError(
            f"{what} has been taken meanwhile; rename the other one, then try again"
        ) from None


def _counted(noun: type[SoftDeletable], now: datetime, **values: object) -> dict[Any, Any]:
    """The values of an UPDATE of several rows, each row's revision counted up."""
    stamped = {"revision": noun.revision + 1, "updated_at": now, **values}
    return {getattr(noun, name): value for name, value in stamped.items()}
