"""How many rows there are: to the last one where they are few, else about how many.

Counting reads an index from end to end, so it stops at `FEW`. Past that the
optimiser's estimates answer, for which the database reads a few pages of an
index, however many rows there are.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, func, literal_column, select, text
from sqlalchemy.dialects import mysql

from .. import clock
from ..db.base import Deletable
from ..db.session import Database
from .project import Project
from .target import Target
from .token import Token
from .user import User

# Index entries that are counted one by one: a few milliseconds.
FEW = 10_000
# What EXPLAIN answers. MySQL has one column more before the number of rows, and one behind.
MARIADB_COLUMNS = 10

NOW: ColumnElement[Any] = bindparam("now", type_=Token.expires_at.type)


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

    @property
    def name(self) -> str:
        """The table."""
        return str(self.noun.__tablename__)


def _by_mark(noun: type[Deletable]) -> Halves:
    mark, index = noun.deleted_at, f"ix_{noun.__tablename__}_deleted_at_id"
    return Halves(noun, index, mark.is_(None), mark.is_not(None))


EXPIRES = Token.expires_at
ALL_HALVES = (
    _by_mark(User),
    _by_mark(Project),
    _by_mark(Target),
    # Tokens that are revoked before their time are counted apart.
    Halves(Token, "ix_token_expires_at", EXPIRES > NOW, EXPIRES <= NOW),
)


def _few(noun: Any, index: str, condition: ColumnElement[bool], what: Any) -> Any:
    """A subquery: ``what`` of each row that an index finds, up to `FEW`."""
    found = select(what.label("what")).select_from(noun)
    found = found.with_hint(noun, f"FORCE INDEX ({index})").where(condition)
    return found.limit(literal_column(str(FEW))).subquery()


def _number(rows: Any, what: Any = None) -> Any:
    return select(func.count(what)).select_from(rows).scalar_subquery()


_REVOKED = _few(Token, "ix_token_revoked_at", Token.revoked_at.is_not(None), EXPIRES)
_ONE: ColumnElement[int] = literal_column("1")
_COUNT = select(
    *(
        _number(_few(halves.noun, halves.index, condition, _ONE))
        for halves in ALL_HALVES
        for condition in (halves.live, halves.dead)
    ),
    _number(_REVOKED),
    _number(_REVOKED, case((_REVOKED.c.what > NOW, _ONE))),
)


def counts(db: Database) -> list[Count]:
    """The rows of each table that grows with use."""
    now = clock.now()
    numbers = db.read(_COUNT, now=now)[0]
    revoked, revoked_early = numbers[-2:]
    found = []
    for number, halves in enumerate(ALL_HALVES):
        live, dead = numbers[2 * number : 2 * number + 2]
        many = max(live, dead) >= FEW
        if halves.noun is Token:
            live, dead = live - revoked_early, dead + revoked_early
            many = many or revoked >= FEW
        if many:
            live, dead = _estimate(db, halves, dead, now)
        found.append(Count(halves.name, live, dead))
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
