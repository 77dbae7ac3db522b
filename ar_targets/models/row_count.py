"""Row counts: exact up to `FEW`, estimates above it.

Counting reads an index from end to end, so it stops at `FEW`. Above that the optimiser's
estimates are used, for which the database reads a few pages of an index, however many rows there
are.
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
from ..db.base import Base
from ..db.session import Database
from .noun import Expiring, Revisioned, Revocable, SoftDeletable, nouns

# Maximum of an exact count; takes a few milliseconds.
FEW = 10_000
# Columns of EXPLAIN. MySQL has one more before the number of rows, and one more after it.
MARIADB_COLUMNS = 10

NOW: ColumnElement[Any] = bindparam("now", type_=mysql.DATETIME(fsp=6))
ONE: ColumnElement[int] = literal_column("1")


class Count(NamedTuple):
    """Row counts of one table: live rows, and dead rows, which the purge will remove."""

    noun: str
    live: int
    dead: int


@dataclass(frozen=True, slots=True)
class Halves:
    """The index and the conditions that distinguish live from dead rows of a table."""

    noun: Any
    index: str
    live: ColumnElement[bool]
    dead: ColumnElement[bool]


def halves_of(noun: type[Revisioned]) -> Halves:
    """By deletion, or by expiry; rows revoked before their expiry are counted separately."""
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
    """Four counts per noun: live, dead, revoked, and revoked but not expired yet."""
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
    """The row counts of each noun."""
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


def live_rows(db: Database, noun: type[Base]) -> int:
    """About how many live rows a table has, however many they are."""
    live = [halves_of(noun).live] if issubclass(noun, Revisioned) else []
    return _explained(db, noun, live, clock.now())


def _estimate(db: Database, halves: Halves, dead: int, now: datetime) -> tuple[int, int]:
    """Estimated numbers of live and dead rows."""
    if dead >= FEW:
        dead = max(FEW, _explained(db, halves.noun, [halves.dead], now))
    return max(0, _explained(db, halves.noun, [], now) - dead), dead


def _explained(
    db: Database, noun: type[Base], conditions: list[ColumnElement[bool]], now: datetime
) -> int:
    """The number of rows that the optimiser expects to read.

    information_schema has estimates too, but MySQL caches them for a day.
    """
    counted = select(func.count()).select_from(noun).where(*conditions).params(now=now)
    written = counted.compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True})
    (row,) = db.read(text(f"EXPLAIN FORMAT=TRADITIONAL {written}"))
    return int((row[-2] if len(row) == MARIADB_COLUMNS else row[-3]) or 0)
