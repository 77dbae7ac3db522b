"""How many rows there are: to the last one where they are few, else about how many.

Counting reads an index from end to end, so it stops at `FEW`. Past that the
optimiser's estimates answer, for which the database reads a few pages of an
index, however many rows there are.
"""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    false,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import mysql

from .. import clock
from ..db.session import Database
from .noun import Expiring, Revisioned, Revocable, SoftDeletable, nouns

# Index entries that are counted one by one: a few milliseconds.
FEW = 10_000
# What EXPLAIN answers. MySQL has one column more before the number of rows, and one behind.
MARIADB_COLUMNS = 10

NOW: ColumnElement[Any] = bindparam("now", type_=mysql.DATETIME(fsp=6))
ONE: ColumnElement[int] = literal_column("1")


class Count(NamedTuple):
    """Rows of one table: live ones, and those that wait for the purge."""

    noun: str
    live: int
    dead: int


@dataclass(frozen=True, slots=True)
class Halves:
    """How live and dead rows of a table are told from each other, by an index."""

    noun: Any
    index: str
    live: ColumnElement[bool]
    dead: ColumnElement[bool]


def halves_of(noun: type[Revisioned]) -> Halves:
    """By the mark of a deletion, or by expiry: what is revoked earlier is counted apart."""
    if issubclass(noun, SoftDeletable):
        mark, index = noun.deleted_at, f"ix_{noun.__tablename__}_deleted_at_id"
        return Halves(noun, index, mark.is_(None), mark.is_not(None))
    if issubclass(noun, Expiring):
        end, index = noun.expires_at, f"ix_{noun.__tablename__}_expires_at"
        return Halves(noun, index, end > NOW, end <= NOW)
    return Halves(noun, "PRIMARY", noun.id > literal_column("0"), false())


def _few(noun: Any, index: str, condition: ColumnElement[bool], what: Any = ONE) -> Any:
    """A subquery: ``what`` of each row that an index finds, up to `FEW`."""
    found = select(what.label("what")).select_from(noun)
    found = found.with_hint(noun, f"FORCE INDEX ({index})").where(condition)
    return found.limit(literal_column(str(FEW))).subquery()


def _number(rows: Any, what: Any = None) -> Any:
    return select(func.count(what)).select_from(rows).scalar_subquery()


@functools.cache
def count_statement() -> Select[Any]:
    """Four numbers for each noun: live, dead, revoked, and of these those not expired yet."""
    numbers = []
    for noun in nouns(Revisioned):
        halves = halves_of(noun)
        numbers += [_number(_few(noun, halves.index, one)) for one in (halves.live, halves.dead)]
        if issubclass(noun, Revocable) and issubclass(noun, Expiring):
            index = f"ix_{noun.__tablename__}_revoked_at"
            revoked = _few(noun, index, noun.revoked_at.is_not(None), noun.expires_at)
            numbers += [_number(revoked), _number(revoked, case((revoked.c.what > NOW, ONE)))]
        else:
            numbers += [literal_column("0"), literal_column("0")]
    return select(*numbers)


def counts(db: Database) -> list[Count]:
    """The rows of each noun."""
    now = clock.now()
    numbers = iter(db.read(count_statement(), now=now)[0])
    found = []
    for noun in nouns(Revisioned):
        live, dead, revoked, revoked_early = (next(numbers) for _ in range(4))
        many = max(live, dead, revoked) >= FEW
        live, dead = live - revoked_early, dead + revoked_early
        if many:
            live, dead = _estimate(db, halves_of(noun), dead, now)
        found.append(Count(noun.__tablename__, live, dead))
    return found


def _estimate(db: Database, halves: Halves, dead: int, now: datetime) -> tuple[int, int]:
    """About how many rows are live, and dead."""
    if dead >= FEW:
        dead = max(FEW, _explained(db, halves, [halves.dead], now))
    return max(0, _explained(db, halves, [], now) - dead), dead


def _explained(
    db: Database, halves: Halves, conditions: list[ColumnElement[bool]], now: datetime
) -> int:
    """How many rows the optimiser believes that it must read.

    information_schema would tell as well, but MySQL keeps what is there for a day.
    """
    counted = select(func.count()).select_from(halves.noun).where(*conditions).params(now=now)
    written = counted.compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True})
    (row,) = db.read(text(f"EXPLAIN FORMAT=TRADITIONAL {written}"))
    return int((row[-2] if len(row) == MARIADB_COLUMNS else row[-3]) or 0)
