"""A SELECT that is rendered once and read fast.

Each row comes as one JSON array, made by the database: the driver, which is
Python, then decodes one text a row instead of every value of it, which is
most of what a small request costs. Moments come as clients see them
(RFC 3339), so nobody converts them on the way.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, func, literal_column
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from ..database import Database

Record = TypeVar("Record")

# The paramstyle that both PyMySQL and mysqlclient take.
_DIALECT = MySQLDialect_pymysql(paramstyle="pyformat")
_RFC3339: ColumnElement[str] = literal_column("'%Y-%m-%dT%H:%i:%s.%fZ'")


class Query(Generic[Record]):
    """A statement whose parameters have names, and what is made of a row's values."""

    def __init__(self, make: Callable[[Sequence[Any]], Record], statement: Select[Any]) -> None:
        values = [_as_json(column) for column in statement.selected_columns]
        rows = statement.with_only_columns(func.json_array(*values))
        self.text = render(rows)
        self._make = make

    def one(self, db: Database, **parameters: object) -> Record | None:
        """The record of the only row, or None."""
        rows = db.fetch(self.text, parameters)
        return self._make(orjson.loads(rows[0][0])) if rows else None

    def all(self, db: Database, **parameters: object) -> list[Record]:
        """The records of all rows."""
        make = self._make
        return [make(orjson.loads(row[0])) for row in db.fetch(self.text, parameters)]


def render(statement: Select[Any]) -> str:
    """The driver's own SQL of a statement, with ``%(name)s`` for its parameters."""
    return str(statement.compile(dialect=_DIALECT))


def _as_json(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.date_format(column, _RFC3339) if isinstance(column.type, DATETIME) else column
