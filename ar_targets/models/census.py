"""How many rows there are: to the last one where they are few, else about how many.

Counting reads an index from end to end, so it stops at `FEW`. Past that the
optimiser's estimates answer, for which the database reads a few pages of an
index, however many rows there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Table, bindparam, case, func, literal_column, select

from .. import clock
from ..database import Database
from .project import project
from .sql import render
from .target import target
from .token import token
from .user import user

# Index entries that are counted one by one: a few milliseconds.
FEW = 10_000
# What EXPLAIN answers. MySQL has one column more before the number of rows, and one behind.
MARIADB_COLUMNS = 10

NOW: ColumnElement[Any] = bindparam("now")


class Count(NamedTuple):
    """Rows of one table: live ones, and those that wait for the purge."""

    noun: str
    live: int
    dead: int


@dataclass(frozen=True, slots=True)
class Halves:
    """How live and dead rows of a table are told from each other, by an index."""

    table: Table
    index: str
    live: ColumnElement[bool]
    dead: ColumnElement[bool]


def _by_mark(table: Table) -> Halves:
    mark = table.c.deleted_at
    return Halves(table, f"ix_{table.name}_deleted_at_id", mark.is_(None), mark.is_not(None))


EXPIRES = token.c.expires_at
ALL_HALVES = (
    _by_mark(user),
    _by_mark(project),
    _by_mark(target),
    # Tokens that are revoked before their time are counted apart.
    Halves(token, "ix_token_expires_at", EXPIRES > NOW, EXPIRES <= NOW),
)


def _few(table: Table, index: str, condition: ColumnElement[bool], what: Any) -> Any:
    """A subquery: ``what`` of each row that an index finds, up to `FEW`."""
    found = select(what.label("what")).with_hint(table, f"FORCE INDEX ({index})").where(condition)
    return found.limit(literal_column(str(FEW))).subquery()


def _number(rows: Any, what: Any = None) -> Any:
    return select(func.count(what)).select_from(rows).scalar_subquery()


_REVOKED = _few(token, "ix_token_revoked_at", token.c.revoked_at.is_not(None), EXPIRES)
_ONE: ColumnElement[int] = literal_column("1")
_COUNT = render(
    select(
        func.json_array(
            *(
                _number(_few(halves.table, halves.index, condition, _ONE))
                for halves in ALL_HALVES
                for condition in (halves.live, halves.dead)
            ),
            _number(_REVOKED),
            _number(_REVOKED, case((_REVOKED.c.what > NOW, _ONE))),
        )
    )
)


def _estimate_of(table: Table, *condition: ColumnElement[bool]) -> str:
    counted = select(func.count()).select_from(table).where(*condition)
    return f"EXPLAIN FORMAT=TRADITIONAL {render(counted)}"


# What asks the optimiser: for all rows, and for the dead ones.
_ESTIMATES = {
    halves.table.name: (_estimate_of(halves.table), _estimate_of(halves.table, halves.dead))
    for halves in ALL_HALVES
}


def counts(db: Database) -> list[Count]:
    """The rows of each table that grows with use."""
    parameters = {"now": clock.now()}
    numbers = orjson.loads(db.fetch(_COUNT, parameters)[0][0])
    revoked, revoked_early = numbers[-2:]
    found = []
    for number, halves in enumerate(ALL_HALVES):
        live, dead = numbers[2 * number : 2 * number + 2]
        many = max(live, dead) >= FEW
        if halves.table is token:
            live, dead = live - revoked_early, dead + revoked_early
            many = many or revoked >= FEW
        if many:
            live, dead = _estimate(db, halves.table.name, dead, parameters)
        found.append(Count(halves.table.name, live, dead))
    return found


def _estimate(
    db: Database, table: str, dead: int, parameters: Mapping[str, object]
) -> tuple[int, int]:
    """About how many rows are live, and dead."""
    of_all, of_dead = _ESTIMATES[table]
    if dead >= FEW:
        dead = max(FEW, _explained(db, of_dead, parameters))
    return max(0, _explained(db, of_all, parameters) - dead), dead


def _explained(db: Database, statement: str, parameters: Mapping[str, object]) -> int:
    """How many rows the optimiser believes that it must read.

    information_schema would tell as well, but MySQL keeps what is there for a day.
    """
    row = db.fetch(statement, parameters)[0]
    return int((row[-2] if len(row) == MARIADB_COLUMNS else row[-3]) or 0)
