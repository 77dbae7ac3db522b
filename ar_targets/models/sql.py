"""SQLAlchemy's statements as text in the driver's own SQL, rendered once.

Parameters are written ``%(name)s``.
"""

from typing import NamedTuple

from sqlalchemy import (
    CompoundSelect,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    select,
)
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

# The paramstyle that both PyMySQL and mysqlclient take.
_DIALECT = MySQLDialect_pymysql(paramstyle="pyformat")


def render(statement: Select[object] | CompoundSelect[object] | Insert | Update) -> str:
    """The text of a statement."""
    return str(statement.compile(dialect=_DIALECT))


def insertion(table: Table, *columns: str) -> str:
    """An INSERT of one row, with parameters named as the columns are."""
    return str(insert(table).compile(dialect=_DIALECT, column_keys=columns))


class InsertionBelow(NamedTuple):
    """An INSERT of a row that has a parent; see `insertion_below`."""

    text: str
    noun: str
    foreign_key: str


def insertion_below(parent: Table, table: Table, foreign_key: str, *columns: str) -> InsertionBelow:
    """An INSERT of one row below a live row of another table, with the latter's id as ``parent``.

    The other parameters are the columns with ``new_`` before them. It inserts
    nothing where the parent is gone. The lock makes it and the deletion
    of that row wait for each other. (MySQL 9.7 lets a row with a missing parent
    pass, where the foreign key's index goes on with a column that can be NULL.)
    """
    values = [bindparam(f"new_{column}", type_=table.c[column].type) for column in columns]
    live = select(parent.c.id, *values).where(
        parent.c.id == bindparam("parent"), parent.c.deleted_at.is_(None)
    )
    rows = live.with_for_update(read=True)
    text = render(insert(table).from_select([foreign_key, *columns], rows))
    return InsertionBelow(text, table.name, foreign_key)
