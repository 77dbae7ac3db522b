"""Statements that are rendered once and executed fast.

Each row of a `Query` comes as one JSON array, made by the database: the
driver, which is Python, then decodes one text a row instead of every value of
it, which is most of what a small request costs. Moments come as clients see
them (RFC 3339), so nobody converts them on the way.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    func,
    insert,
    literal_column,
    update,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from ..database import Database

Record = TypeVar("Record")

# The paramstyle that both PyMySQL and mysqlclient take.
_DIALECT = MySQLDialect_pymysql(paramstyle="pyformat")
_RFC3339: ColumnElement[str] = literal_column("'%Y-%m-%dT%H:%i:%s.%fZ'")
_ONE: ColumnElement[int] = literal_column("1")


class Query(Generic[Record]):
    """A SELECT whose parameters have names, and what is made of a row's values."""

    def __init__(self, make: Callable[[Sequence[Any]], Record], statement: Select[Any]) -> None:
        values = [_as_json(column) for column in statement.selected_columns]
        self.text = render(statement.with_only_columns(func.json_array(*values)))
        self._make = make

    def one(self, db: Database, **parameters: object) -> Record | None:
        """The record of the only row, or None."""
        rows = db.fetch(self.text, parameters)
        return self._make(orjson.loads(rows[0][0])) if rows else None

    def all(self, db: Database, **parameters: object) -> list[Record]:
        """The records of all rows."""
        make = self._make
        return [make(orjson.loads(row[0])) for row in db.fetch(self.text, parameters)]


def render(statement: Select[Any] | Insert | Update) -> str:
    """The driver's own SQL of a statement, with ``%(name)s`` for its parameters."""
    return str(statement.compile(dialect=_DIALECT))


def insertion(table: Table, *columns: str) -> str:
    """An INSERT of one row, with parameters named as the columns are."""
    return str(insert(table).compile(dialect=_DIALECT, column_keys=columns))


def change(
    db: Database,
    table: Table,
    row_id: int,
    now: datetime,
    values: Mapping[str, object],
    *,
    revision: int | None = None,
    count: tuple[str, ...] = (),
) -> bool:
    """Set columns of a row that has not ended: is not deleted, or revoked.

    The revision, and the columns of ``count``, are counted up. False where there
    is no such row, or where ``revision`` is given and is no longer the row's.
    Raises IntegrityError where a value must be unique and is not.
    """
    statement = _change(table, tuple(values), count, guarded=revision is not None)
    new = {f"new_{column}": value for column, value in values.items()}
    changed, _ = db.run(statement, {"row": row_id, "expected": revision, "now": now, **new})
    return changed == 1


@functools.cache
def _change(
    table: Table, columns: tuple[str, ...], count: tuple[str, ...], *, guarded: bool
) -> str:
    """The UPDATE for a choice of columns; there are few."""
    end = table.c["deleted_at" if "deleted_at" in table.c else "revoked_at"]
    statement = update(table).where(table.c.id == bindparam("row"), end.is_(None))
    if guarded:
        statement = statement.where(table.c.revision == bindparam("expected"))
    counted = {column: table.c[column] + _ONE for column in ("revision", *count)}
    chosen: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
    return render(statement.values(updated_at=bindparam("now"), **counted, **chosen))


def _as_json(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.date_format(column, _RFC3339) if isinstance(column.type, DATETIME) else column
