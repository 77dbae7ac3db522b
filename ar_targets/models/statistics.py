"""Statistics for the dashboard of the admin panel; each query uses an index."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, bindparam, func, literal, literal_column, null, select

from ..db.session import Database
from .noun import (
    DeletedWithParent,
    Expiring,
    Owned,
    Revisioned,
    SoftDeletable,
    nouns,
    parent,
)
from .project import Project
from .target import Target
from .token import Token


class Totals(NamedTuple):
    """How many live rows each table has, and the bytes of all images, deleted ones included."""

    rows: dict[str, int]
    stored: int


class Day(NamedTuple):
    """The live targets that were added on a day, and the bytes of their images."""

    day: date
    targets: int
    size: int


class ExpiringToken(NamedTuple):
    """A valid token of a live project."""

    id: int
    project_id: int
    project: str
    description: str
    expires_at: datetime


class Latest(NamedTuple):
    """One of the most recently created live rows, of any noun."""

    noun: str
    id: int
    title: str
    parent_id: int | None
    created_at: datetime


_SUMS = "FORCE INDEX (ix_target_deleted_at_created_at_size)"


_STORED = select(func.coalesce(func.sum(Target.size), literal_column("0"))).with_hint(Target, _SUMS)
_DAY = func.date(Target.created_at)
_DAYS = (
    select(_DAY, func.count(), func.sum(Target.size))
    .with_hint(Target, _SUMS)
    .where(Target.alive(), Target.created_at >= bindparam("since"))
    .group_by(_DAY)
)
_EXPIRING = (
    select(Token.id, Token.project_id, Project.name, Token.description, Token.expires_at)
    .prefix_with("STRAIGHT_JOIN")
    .select_from(Token)
    .join(Project, Project.id == Token.project_id)
    .with_hint(Token, "FORCE INDEX (ix_token_expires_at)")
    .where(
        Token.expires_at > bindparam("now"),
        Token.expires_at <= bindparam("until"),
        Token.revoked_at.is_(None),
        Project.alive(),
    )
    .order_by(Token.expires_at, Token.id)
    .limit(bindparam("count"))
)


def totals(db: Database, now: datetime) -> Totals:
    """Count all rows: takes some tenths of a second at a million rows."""
    rows = {noun.__tablename__: _rows(db, noun, now) for noun in nouns(Revisioned)}
    return Totals(rows, _number(db, _STORED))


def _rows(db: Database, noun: type[Revisioned], now: datetime) -> int:
    """Live rows, except those whose parent is deleted: most of these have no ``deleted_at``."""
    live = [noun.alive()]
    if issubclass(noun, Expiring):
        live.append(noun.expires_at > now)
    number = _number(db, select(func.count()).select_from(noun).where(*live))
    if not issubclass(noun, Owned) or issubclass(noun, DeletedWithParent):
        return number
    above = parent(noun)
    gone = select(func.count()).select_from(above).join(noun, noun.parent_id() == above.id)
    return number - _number(db, gone.where(above.deleted_at.is_not(None), *live))


def days(db: Database, now: datetime, number: int) -> list[Day]:
    """The last ``number`` days up to today, including empty ones."""
    first = now.date() - timedelta(days=number - 1)
    since = datetime(first.year, first.month, first.day)  # noqa: DTZ001  # naive, as all of them
    found: dict[date, Any] = {row[0]: row for row in db.read(_DAYS, since=since)}
    dates = [first + timedelta(days=n) for n in range(number)]
    rows = [found.get(day, (day, 0, 0)) for day in dates]
    return [Day(day, int(targets), int(size)) for day, targets, size in rows]


def expiring(db: Database, now: datetime, until: datetime, count: int) -> list[ExpiringToken]:
    """Valid tokens that expire by ``until``, the next to expire first."""
    return [
        ExpiringToken._make(row) for row in db.read(_EXPIRING, now=now, until=until, count=count)
    ]


def latest(db: Database, count: int) -> list[Latest]:
    """The most recently created live rows of all soft-deletable nouns, the newest first."""
    rows = [
        Latest._make(row) for noun in nouns(SoftDeletable) for row in db.read(_latest(noun, count))
    ]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)[:count]


def _latest(noun: type[SoftDeletable], count: int) -> Select[Any]:
    parent_id = noun.parent_id() if issubclass(noun, Owned) else null()
    name = noun.__tablename__
    columns: list[Any] = [literal(name), noun.id, noun.title(), parent_id, noun.created_at]
    return (
        select(*columns)
        .with_hint(noun, f"FORCE INDEX (ix_{name}_deleted_at_id)")
        .where(noun.alive())
        .order_by(noun.id.desc())
        .limit(count)
    )


def database_version(db: Database) -> str:
    """The version string of the database server."""
    return cast("str", db.read(select(func.version()))[0][0])


def _number(db: Database, statement: Select[Any], **values: object) -> int:
    return int(db.read(statement, **values)[0][0])
