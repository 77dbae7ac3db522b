"""Inserts and updates of rows: with optimistic locking by revision, each with its audit entry."""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Select,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from ..db.session import Database
from . import audit
from .noun import Revisioned, SoftDeletable


class _Record(Protocol):
    """A NamedTuple of some columns of a row."""

    @property
    def id(self) -> int: ...

    @property
    def revision(self) -> int: ...


Record = TypeVar("Record", bound=_Record)


def create(db: Database, noun: type[Revisioned], now: datetime, values: Mapping[str, Any]) -> int:
    """Insert a row; returns its id. Raises IntegrityError for a duplicate of a unique value."""
    db.write(_insert(noun), **values, created_at=now, updated_at=now)  # type: ignore[arg-type]
    return _created(db, noun, now, values)


def create_below(
    db: Database,
    parent: type[SoftDeletable],
    parent_id: int,
    noun: type[Revisioned],
    now: datetime,
    values: Mapping[str, Any],
    *,
    only: tuple[ColumnElement[bool], ...] = (),
) -> int | None:
    """As `create`, for a child of a live row; None where the parent is deleted.

    A shared lock on the parent makes this and a deletion of the parent wait for each other.
    ``only`` are more conditions, which may join other tables to the parent: their rows are locked
    as well, in the order in which the conditions name the tables. Values may be named in them as
    parameters. None where they are false.
    """
    stamped = {**values, "created_at": now, "updated_at": now}
    statement = _insert_below(noun, parent, tuple(stamped), only)  # type: ignore[arg-type]
    if not db.write(statement, **stamped, parent_id=parent_id).rowcount:
        return None
    return _created(db, noun, now, values)


def _created(db: Database, noun: type[Revisioned], now: datetime, values: Mapping[str, Any]) -> int:
    row_id = db.last_id
    audit.record(db, now, "create", noun, row_id, values)
    return row_id


def lock_live(db: Database, noun: type[SoftDeletable], row_id: int) -> bool:
    """Lock a live row (shared) until the transaction ends; False where it is deleted."""
    return db.write(_live(noun), row_id=row_id).first() is not None  # type: ignore[arg-type]


def change(
    db: Database,
    noun: type[Revisioned],
    row_id: int,
    now: datetime,
    values: Mapping[str, Any],
    *,
    revision: int | None = None,
    still: Mapping[str, Any] = MappingProxyType({}),
    computed: Mapping[str, ColumnElement[Any]] = MappingProxyType({}),
    only: ColumnElement[bool] | None = None,
) -> int | None:
    """Update a live row (neither deleted nor revoked); returns its new revision.

    ``computed`` are columns set by an expression. Returns None where there is no such row, where
    the condition ``only`` is false for it, or where ``revision`` or a column of ``still`` is
    given and is no longer the row's. Raises IntegrityError for a duplicate of a unique value.
    """
    if revision is not None:
        still = {**still, "revision": revision}
    statement = _update(noun, tuple(still))  # type: ignore[arg-type]
    if computed:
        statement = statement.values(**computed)
    if only is not None:
        statement = statement.where(only)
    guards = {f"still_{name}": value for name, value in still.items()}
    if not db.write(statement, row_id=row_id, updated_at=now, **guards, **values).rowcount:
        return None
    changed = db.last_id
    audit.record(db, now, audit.action_of(values), noun, row_id, values)
    return changed


def change_record(
    db: Database,
    noun: type[Revisioned],
    record: Record,
    now: datetime,
    values: Mapping[str, Any],
    *,
    read_again: Callable[[], Record | None],
    revision: int | None = None,
    rest: Sequence[str] | None = None,
) -> Record | None:
    """Update a row with `change`; returns the new record, or None where nothing was changed.

    Usually the new record is known without another read: where the row has not changed since
    ``record`` was read, or no column of ``rest`` has. A change of anything that ``values`` do not
    set must change a column of ``rest``; it is empty where nothing else can change.
    """

    def known(number: int) -> Record:
        row: Any = record
        shown = {name: value for name, value in values.items() if name in row._fields}
        changed: Record = row._replace(revision=number, updated_at=now, **shown)
        return changed

    if revision is None and rest is not None:
        still = {name: getattr(record, name) for name in rest}
        number = change(db, noun, record.id, now, values, still=still)
        if number is not None:
            return known(number)
        if not still:
            return None
    number = change(db, noun, record.id, now, values, revision=revision)
    if number is None:
        return None
    return known(number) if number == record.revision + 1 else read_again()


def counted(noun: type[Revisioned], now: datetime, **values: object) -> dict[Any, Any]:
    """The values of an UPDATE of several rows, which increments each row's revision."""
    stamped = {"revision": noun.revision + 1, "updated_at": now, **values}
    return {getattr(noun, name): value for name, value in stamped.items()}


def remove(
    db: Database,
    noun: type[Revisioned],
    row_id: int,
    now: datetime,
    values: Mapping[str, Any],
) -> None:
    """Delete a row, which is locked, of a noun that has no soft delete.

    ``values`` are its columns, for the audit entry, which is all that is left.
    """
    db.write(_delete(noun), row_id=row_id)  # type: ignore[arg-type]
    audit.record(db, now, "delete", noun, row_id, values)


# Built once, so that SQLAlchemy finds the compiled SQL at once. (mypy checks the hash of a
# class's instances instead of the class's own, and reports classes as unhashable.)


@functools.cache
def _insert(noun: Any) -> Insert:
    return insert(noun)


@functools.cache
def _insert_below(
    noun: Any, parent: Any, names: tuple[str, ...], only: tuple[ColumnElement[bool], ...]
) -> Insert:
    types = noun.__table__.columns
    row = select(*(bindparam(name, type_=types[name].type) for name in names))
    row = row.where(*only, parent.id == bindparam("parent_id"), parent.alive())
    return insert(noun).from_select(names, row.with_for_update(read=True))


@functools.cache
def _delete(noun: Any) -> Delete:
    return delete(noun).where(noun.id == bindparam("row_id"))


@functools.cache
def _live(noun: Any) -> Select[int]:
    alive: Select[int] = select(noun.id).where(noun.id == bindparam("row_id"), noun.alive())
    return alive.with_for_update(read=True)


@functools.cache
def _update(noun: Any, still: tuple[str, ...]) -> Update:
    statement = update(noun).where(noun.id == bindparam("row_id"), noun.alive())
    for name in still:
        statement = statement.where(getattr(noun, name) == bindparam(f"still_{name}"))
    # LAST_INSERT_ID(expression) makes the new revision available as `Database.last_id`.
    return statement.values(revision=func.last_insert_id(noun.revision + 1))
