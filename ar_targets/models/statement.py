"""What is asked of the database and done to it, fast.

Each row of a `Query` comes as one JSON array, made by the database: the
driver, which is Python, then decodes one text a row instead of every value of
it, which is most of what a small request costs. Moments become what clients
see (RFC 3339) here: for the database, to format them is a third of a page's work.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import orjson
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.dialects.mysql import DATETIME

from .. import clock
from ..database import Database
from . import audit
from .sql import InsertionBelow, render

Record = TypeVar("Record")
Other = TypeVar("Other", bound=tuple[Any, ...])


class _Numbered(Protocol):
    @property
    def id(self) -> int:
        """The row's primary key."""


Named = TypeVar("Named", bound=_Numbered)

_ONE: ColumnElement[int] = literal_column("1")
_TWO: ColumnElement[int] = literal_column("2")


class Query(Generic[Record]):
    """A SELECT whose parameters have names, and what is made of a row's values."""

    def __init__(
        self,
        make: Callable[[Sequence[Any]], Record],
        statement: Select[Any],
        *,
        beside: ColumnElement[bytes] | None = None,
    ) -> None:
        """``beside``: a column that is kept out of the array, for `one_beside`."""
        columns = list(statement.selected_columns)
        self._statement, self._columns = statement, columns
        blob = [] if beside is None else [beside]
        self.text = render(statement.with_only_columns(func.json_array(*columns), *blob))
        self._make = make
        self._moments = [
            place for place, column in enumerate(columns) if isinstance(column.type, DATETIME)
        ]

    def one(self, db: Database, **parameters: object) -> Record | None:
        """The record of the only row, or None."""
        rows = db.values(self.text, parameters)
        return self.record(orjson.loads(rows[0])) if rows else None

    def one_beside(self, db: Database, **parameters: object) -> tuple[Record, bytes | None] | None:
        """The record of the only row, and the blob beside it; or None."""
        rows = db.pairs(self.text, parameters)
        return (self.record(orjson.loads(rows[0][0])), rows[0][1]) if rows else None

    def all(self, db: Database, **parameters: object) -> list[Record]:
        """The records of all rows."""
        rows = orjson.loads(b"[%b]" % b",".join(db.values(self.text, parameters)))
        return [self.record(row) for row in rows]

    def marked(self, mark: int) -> Select[Any]:
        """The same rows, with a number at the end of each."""
        last: ColumnElement[int] = literal_column(str(mark))
        return self._statement.with_only_columns(func.json_array(*self._columns, last))

    def record(self, row: list[Any]) -> Record:
        """What is made of a row's values."""
        for place in self._moments:
            if (moment := row[place]) is not None:
                # As the database writes it, which is always in UTC here.
                row[place] = f"{moment[:10]}T{moment[11:]}Z"
        return self._make(row)


class Both(Generic[Record, Other]):
    """Two queries in one statement: one that finds a row at most, and one of many rows."""

    def __init__(self, one: Query[Record], many: Query[Other]) -> None:
        """The records of ``many`` come in the order of their first value."""
        self._one, self._many = one, many
        self._text = render(union_all(one.marked(0), many.marked(1)))

    def read(self, db: Database, **parameters: object) -> tuple[Record | None, list[Other]]:
        """The record of the one, or None, and all of the other."""
        found, others = None, []
        for row in orjson.loads(b"[%b]" % b",".join(db.values(self._text, parameters))):
            if row.pop():
                others.append(self._many.record(row))
            else:
                found = self._one.record(row)
        # They are in order; but nobody promises it of parts of a UNION.
        others.sort()
        return found, others


def insert_below(
    db: Database,
    now: datetime,
    insertion: InsertionBelow,
    parent_id: int,
    values: Mapping[str, object],
) -> int | None:
    """Insert a row; its id, or None where the parent is gone."""
    stamped = {**values, "created_at": now, "updated_at": now}
    new = {f"new_{column}": value for column, value in stamped.items()}
    shown = {insertion.foreign_key: parent_id, **values}
    entry = audit.after_insert(db, now, insertion.noun, shown)
    inserted, row_id = db.run(insertion.text, {"parent": parent_id, **new}, entry)
    return row_id if inserted else None


def change(
    db: Database,
    table: Table,
    row_id: int,
    now: datetime,
    values: Mapping[str, object],
    *,
    revision: int | None = None,
    count: tuple[str, ...] = (),
    unless: str | None = None,
) -> int | None:
    """Set columns of a row that has not ended: is not deleted, or revoked.

    The revision, and the columns of ``count``, are counted up. Returns the new
    revision; None where there is no such row, where the column ``unless`` is
    true, or where ``revision`` is given and is no longer the row's. Raises
    IntegrityError where a value must be unique and is not.
    """
    found = _run(db, table, row_id, now, values, revision, count=count, unless=unless)
    return found and found.revision


def change_record(
    db: Database,
    table: Table,
    record: Named,
    now: datetime,
    values: Mapping[str, object],
    *,
    shown: Mapping[str, object],
    same: Mapping[str, object],
    again: Callable[[], Named | None] = lambda: None,
    revision: int | None = None,
) -> Named | None:
    """The record as `change` has left it; ``shown`` are its fields that have changed.

    ``same`` are the columns that say whether its other fields are still what they
    were when it was read. If they are not, the row is read ``again``. Returns None
    and raises as `change` does.
    """
    found = _run(db, table, record.id, now, values, revision, same=same)
    if found is None:
        return None
    if not found.same:
        return again()
    named_tuple: Any = record
    changed: Named = named_tuple._replace(
        revision=found.revision, updated_at=clock.rfc3339(now), **shown
    )
    return changed


class _Found(NamedTuple):
    """What an UPDATE tells of its row: the new revision, and whether the rest was as expected."""

    revision: int
    same: bool


def _run(
    db: Database,
    table: Table,
    row_id: int,
    now: datetime,
    values: Mapping[str, object],
    revision: int | None,
    *,
    same: Mapping[str, object] = MappingProxyType({}),
    count: tuple[str, ...] = (),
    unless: str | None = None,
) -> _Found | None:
    guarded = revision is not None
    statement = _change(table, tuple(values), tuple(same), count, unless, guarded=guarded)
    given: dict[str, object] = {"row": row_id, "expected": revision, "now": now}
    given |= {f"new_{column}": value for column, value in values.items()}
    given |= {f"same_{column}": value for column, value in same.items()}
    entry = audit.after_change(db, now, table.name, row_id, values)
    rows, told = db.run(statement, given, entry)
    return _Found(told // 2, bool(told % 2)) if rows else None


@functools.cache
def _change(
    table: Table,
    columns: tuple[str, ...],
    same: tuple[str, ...],
    count: tuple[str, ...],
    unless: str | None,
    *,
    guarded: bool,
) -> str:
    """The UPDATE for a choice of columns; there are few.

    LAST_INSERT_ID(value) sends a value back with the answer, without another
    question: twice the new revision, and one more where the columns of ``same``
    have the given values.
    """
    end = table.c["deleted_at" if "deleted_at" in table.c else "revoked_at"]
    statement = update(table).where(table.c.id == bindparam("row"), end.is_(None))
    if unless is not None:
        statement = statement.where(table.c[unless].is_(False))
    if guarded:
        statement = statement.where(table.c.revision == bindparam("expected"))
    new: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
    new |= {column: table.c[column] + _ONE for column in count}
    equal = [table.c[column] == bindparam(f"same_{column}") for column in same]
    as_read = type_coerce(and_(*equal), Integer) if equal else _ONE
    told = func.last_insert_id((table.c.revision + _ONE) * _TWO + as_read, type_=Integer)
    new["revision"] = told.op("DIV")(_TWO)
    return render(statement.values(updated_at=bindparam("now"), **new))
