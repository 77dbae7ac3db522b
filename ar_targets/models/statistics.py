"""What the dashboard of the admin panel counts, each by an index."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, func, literal_column, select

from ..database import Database
from .project import project
from .sql import render
from .statement import Query
from .target import target
from .token import token
from .user import user


class Totals(NamedTuple):
    """How many live rows there are. ``stored`` is the bytes of all images, the trash's included."""

    users: int
    projects: int
    tokens: int
    targets: int
    stored: int


class Day(NamedTuple):
    """The live targets that were added on a day, and the bytes of their images."""

    day: date
    targets: int
    size: int


class Expiring(NamedTuple):
    """A valid token of a live project."""

    id: int
    project_id: int
    project: str
    description: str
    expires_at: str


class Latest(NamedTuple):
    """A live row of the latest, whatever it is of."""

    noun: str
    id: int
    label: str
    project_id: int | None
    created_at: str


_SUMS = "FORCE INDEX (ix_target_deleted_at_created_at_size)"


def _live(table: Table) -> str:
    return render(select(func.count()).select_from(table).where(table.c.deleted_at.is_(None)))


_USERS, _PROJECTS = _live(user), _live(project)
_TOKENS = render(
    select(func.count())
    .select_from(token)
    .where(token.c.expires_at > bindparam("now"), token.c.revoked_at.is_(None))
)
_TARGETS = render(
    select(func.count())
    .select_from(target)
    .with_hint(target, _SUMS)
    .where(target.c.deleted_at.is_(None))
)
# Deleting a project leaves its targets unmarked.
_TARGETS_GONE = render(
    select(func.count())
    .select_from(project.join(target, target.c.project_id == project.c.id))
    .where(project.c.deleted_at.is_not(None), target.c.deleted_at.is_(None))
)
_STORED = render(
    select(func.coalesce(func.sum(target.c.size), literal_column("0"))).with_hint(target, _SUMS)
)
_DAY = func.date(target.c.created_at)
_DAYS = render(
    select(_DAY, func.count(), func.sum(target.c.size))
    .with_hint(target, _SUMS)
    .where(target.c.deleted_at.is_(None), target.c.created_at >= bindparam("since"))
    .group_by(_DAY)
)
_EXPIRING = Query(
    Expiring._make,
    select(token.c.id, token.c.project_id, project.c.name, token.c.description, token.c.expires_at)
    .prefix_with("STRAIGHT_JOIN")
    .select_from(token.join(project, project.c.id == token.c.project_id))
    .with_hint(token, "FORCE INDEX (ix_token_expires_at)")
    .where(
        token.c.expires_at > bindparam("now"),
        token.c.expires_at <= bindparam("until"),
        token.c.revoked_at.is_(None),
        project.c.deleted_at.is_(None),
    )
    .order_by(token.c.expires_at, token.c.id)
    .limit(bindparam("count")),
)


def totals(db: Database, now: datetime) -> Totals:
    """Count everything: some tenths of a second at a million rows."""
    targets = _number(db, _TARGETS) - _number(db, _TARGETS_GONE)
    return Totals(
        _number(db, _USERS),
        _number(db, _PROJECTS),
        _number(db, _TOKENS, now=now),
        targets,
        _number(db, _STORED),
    )


def days(db: Database, now: datetime, number: int) -> list[Day]:
    """The last ``number`` days, today the last, empty ones included."""
    first = now.date() - timedelta(days=number - 1)
    since = datetime(first.year, first.month, first.day)  # noqa: DTZ001  # naive, as all of them
    found = {row[0]: row for row in db.fetch(_DAYS, {"since": since})}
    dates = [first + timedelta(days=n) for n in range(number)]
    rows: list[Any] = [found.get(day, (day, 0, 0)) for day in dates]
    return [Day(day, int(targets), int(size)) for day, targets, size in rows]


def expiring(db: Database, now: datetime, until: datetime, count: int) -> list[Expiring]:
    """Valid tokens that will have expired by then, the next first."""
    return _EXPIRING.all(db, now=now, until=until, count=count)


def _latest(noun: str, table: Table, label: Any, parent: Any) -> Query[Latest]:
    index = f"ix_{table.name}_deleted_at_id"
    return Query(
        lambda row: Latest(noun, *row),
        select(table.c.id, label, parent, table.c.created_at)
        .with_hint(table, f"FORCE INDEX ({index})")
        .where(table.c.deleted_at.is_(None))
        .order_by(table.c.id.desc())
        .limit(bindparam("count")),
    )


_LATEST = (
    _latest("user", user, user.c.login, literal_column("NULL")),
    _latest("project", project, project.c.name, project.c.id),
    _latest("target", target, target.c.description, target.c.project_id),
)


def latest(db: Database, count: int) -> list[Latest]:
    """What was created last, of all nouns together, the newest first."""
    rows = [row for query in _LATEST for row in query.all(db, count=count)]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)[:count]


def database_version(db: Database) -> str:
    """What the server calls itself."""
    return cast("str", db.fetch("SELECT VERSION()", {})[0][0])


def _number(db: Database, text: str, **values: object) -> int:
    return int(db.fetch(text, values)[0][0])
