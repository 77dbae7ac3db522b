"""What the dashboard of the admin panel counts, each by an index."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, bindparam, func, literal, literal_column, null, select

from ..db.base import Deletable
from ..db.session import Database
from .project import Project
from .target import Target
from .token import Token
from .user import User


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
    expires_at: datetime


class Latest(NamedTuple):
    """A live row of the latest, whatever it is of."""

    noun: str
    id: int
    label: str
    project_id: int | None
    created_at: datetime


_SUMS = "FORCE INDEX (ix_target_deleted_at_created_at_size)"


_USERS = select(func.count()).select_from(User).where(User.alive())
_PROJECTS = select(func.count()).select_from(Project).where(Project.alive())
_TOKENS = (
    select(func.count())
    .select_from(Token)
    .where(Token.expires_at > bindparam("now"), Token.revoked_at.is_(None))
)
_TARGETS = select(func.count()).select_from(Target).with_hint(Target, _SUMS).where(Target.alive())
# Deleting a project leaves its targets unmarked.
_TARGETS_GONE = (
    select(func.count())
    .select_from(Project)
    .join(Target, Target.project_id == Project.id)
    .where(Project.deleted_at.is_not(None), Target.alive())
)
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
    found: dict[date, Any] = {row[0]: row for row in db.read(_DAYS, since=since)}
    dates = [first + timedelta(days=n) for n in range(number)]
    rows = [found.get(day, (day, 0, 0)) for day in dates]
    return [Day(day, int(targets), int(size)) for day, targets, size in rows]


def expiring(db: Database, now: datetime, until: datetime, count: int) -> list[Expiring]:
    """Valid tokens that will have expired by then, the next first."""
    return [Expiring._make(row) for row in db.read(_EXPIRING, now=now, until=until, count=count)]


def _latest(noun: type[Deletable], label: Any, parent: Any) -> Select[Any]:
    return (
        select(literal(noun.__tablename__), noun.id, label, parent, noun.created_at)
        .with_hint(noun, f"FORCE INDEX (ix_{noun.__tablename__}_deleted_at_id)")
        .where(noun.alive())
        .order_by(noun.id.desc())
        .limit(bindparam("count"))
    )


_LATEST = (
    _latest(User, User.login, null()),
    _latest(Project, Project.name, Project.id),
    _latest(Target, Target.description, Target.project_id),
)


def latest(db: Database, count: int) -> list[Latest]:
    """What was created last, of all nouns together, the newest first."""
    rows = [Latest._make(row) for each in _LATEST for row in db.read(each, count=count)]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)[:count]


def database_version(db: Database) -> str:
    """What the server calls itself."""
    return cast("str", db.read(select(func.version()))[0][0])


def _number(db: Database, statement: Select[Any], **values: object) -> int:
    return int(db.read(statement, **values)[0][0])
