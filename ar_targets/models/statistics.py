"""Statistics for the dashboard of the panel: of all rows, or of some projects'.

``projects`` is the statement for the ids of the live projects that count; None for all of them.
What is counted of targets comes from one set of rows, the live targets of these projects.
``sight`` is the condition for the rows that the viewer sees, ``true()`` for all.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Select, True_, case, func, literal, null, select

from ..db.session import Database
from . import backlog
from .analysis import FAILED, PENDING, Analysis
from .audit import Audit
from .backlog import BEHIND, Backlog
from .noun import Owned, SoftDeletable, index_by_parent, parent
from .project import Project
from .target import Target
from .token import Token
from .user import User

Projects = Select[int] | None


class Day(NamedTuple):
    """The live targets at the end of a day, and the bytes of their images."""

    day: date
    targets: int
    size: int


class Storage(NamedTuple):
    """A project, its live targets and the bytes of their images."""

    id: int
    name: str
    targets: int
    size: int


class TokenCounts(NamedTuple):
    """Tokens that are not revoked, by what is left of their time, and valid ones that write."""

    expired: int
    within_day: int
    within_week: int
    within_month: int
    later: int
    writing: int

    @property
    def valid(self) -> int:
        """Those that have not expired."""
        return self.within_day + self.within_week + self.within_month + self.later


class ExpiringToken(NamedTuple):
    """A valid token of a live project."""

    id: int
    project: str
    description: str
    expires_at: datetime


class Latest(NamedTuple):
    """One of the most recently created live rows, of any noun."""

    noun: str
    id: int
    title: str
    created_at: datetime


# It covers all that is summed: one entry of it for each row, and no row is read. Without the hint
# both servers read all rows, where they are few.
_BY_SUMS = "FORCE INDEX (ix_target_project_id_deleted_at_created_at_size)"


def users(db: Database) -> int:
    """The number of live users."""
    return _number(db, select(func.count()).select_from(User).where(User.alive()))


def projects(db: Database, projects: Projects) -> int:
    """The number of projects."""
    if projects is None:
        return _number(db, select(func.count()).select_from(Project).where(Project.alive()))
    return _number(db, select(func.count()).select_from(projects.subquery()))


def days(db: Database, now: datetime, number: int, projects: Projects) -> list[Day]:
    """The last ``number`` days up to today; the last one has what there is now."""
    first = now.date() - timedelta(days=number - 1)
    since = datetime(first.year, first.month, first.day)  # noqa: DTZ001  # naive, as all of them
    day = case((Target.created_at >= since, func.date(Target.created_at)), else_=null())
    added = select(day, func.count(), func.coalesce(func.sum(Target.size), 0)).group_by(day)
    if projects is None:
        everywhere = added.with_hint(Target, _BY_SUMS).where(Target.alive())
        counted = _added(db, everywhere)
        # Most targets of deleted projects have no ``deleted_at`` of their own.
        gone = added.join(Project, Project.id == Target.project_id)
        for key, (targets, size) in _added(
            db, gone.where(Project.deleted_at.is_not(None), Target.alive())
        ).items():
            before = counted.get(key, (0, 0))
            counted[key] = (max(0, before[0] - targets), max(0, before[1] - size))
    else:
        counted = _added(db, _of(added, projects).where(Target.alive()))
    targets, size = counted.get(None, (0, 0))
    found = []
    for one in (first + timedelta(days=n) for n in range(number)):
        more, bytes_more = counted.get(one, (0, 0))
        targets, size = targets + more, size + bytes_more
        found.append(Day(one, targets, size))
    return found


def _added(db: Database, statement: Select[Any]) -> dict[date | None, tuple[int, int]]:
    return {row[0]: (int(row[1]), int(row[2])) for row in db.read(statement)}


def storage(db: Database, count: int, projects: Projects) -> list[Storage]:
    """The projects with the most bytes, the largest first."""
    size = func.sum(Target.size).label("size")
    every = select(Target.project_id, func.count().label("targets"), size)
    if projects is None:
        deleted = select(Project.id).where(Project.deleted_at.is_not(None))
        sums = every.with_hint(Target, _BY_SUMS).where(Target.project_id.not_in(deleted))
    else:
        sums = _of(every, projects)
    sums = sums.where(Target.alive())
    largest = sums.group_by(Target.project_id).order_by(size.desc()).limit(count).subquery()
    named = (
        select(Project.id, Project.name, largest.c.targets, largest.c.size)
        .join(largest, largest.c.project_id == Project.id)
        .order_by(largest.c.size.desc(), Project.id)
    )
    return [Storage(row[0], row[1], int(row[2]), int(row[3])) for row in db.read(named)]


def tokens(db: Database, now: datetime, sight: ColumnElement[bool]) -> TokenCounts:
    """How many tokens of live projects there are."""
    end = Token.expires_at
    marks = [now, *(now + timedelta(days=days) for days in (1, 7, 30))]
    kinds: list[ColumnElement[bool]] = [
        end <= marks[0],
        (end > marks[0]) & (end <= marks[1]),
        (end > marks[1]) & (end <= marks[2]),
        (end > marks[2]) & (end <= marks[3]),
        end > marks[3],
        (end > now) & (Token.access == "write"),
    ]
    sums = [func.coalesce(func.sum(case((kind, 1), else_=0)), 0) for kind in kinds]
    every = select(*sums).select_from(Token)
    of_projects = every.join(Project, Project.id == Token.project_id).where(Token.alive())
    if not isinstance(sight, True_):
        return TokenCounts(*_numbers(db, of_projects.where(sight, Project.alive())))
    # All, which an index covers, less the revoked and those of deleted projects, which are few.
    counted = zip(
        _numbers(db, every.with_hint(Token, "FORCE INDEX (ix_token_access_expires_at)")),
        _numbers(db, every.where(Token.revoked_at.is_not(None))),
        _numbers(db, of_projects.where(Project.deleted_at.is_not(None))),
        strict=True,
    )
    return TokenCounts(*(max(0, all_ - revoked - gone) for all_, revoked, gone in counted))


def expiring(
    db: Database, now: datetime, until: datetime, count: int, sight: ColumnElement[bool]
) -> list[ExpiringToken]:
    """Valid tokens that expire by ``until``, the next to expire first."""
    found = (
        select(Token.id, Project.name, Token.description, Token.expires_at)
        .select_from(Token)
        .join(Project, Project.id == Token.project_id)
        .where(Token.expires_at > now, Token.expires_at <= until, Token.alive(), Project.alive())
        .where(sight)
        .order_by(Token.expires_at, Token.id)
        .limit(count)
    )
    if isinstance(sight, True_):
        found = found.prefix_with("STRAIGHT_JOIN")
        # Of some projects, the tokens in sight are the fewer ones, and are read by their ids.
        found = found.with_hint(Token, "FORCE INDEX (ix_token_expires_at)")
    return [ExpiringToken._make(row) for row in db.read(found)]


def latest(
    db: Database, count: int, sights: dict[type[SoftDeletable], ColumnElement[bool]]
) -> list[Latest]:
    """The most recently created live rows of some nouns, the newest first."""
    rows = [
        Latest._make(row)
        for noun, sight in sights.items()
        for row in db.read(_latest(noun, count, sight))
    ]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)[:count]


def _latest(noun: type[SoftDeletable], count: int, sight: ColumnElement[bool]) -> Select[Any]:
    """Ids first, from an index alone: of many projects, all that is in sight is sorted."""
    ids = select(noun.id).where(noun.alive(), sight).order_by(noun.id.desc()).limit(count)
    everywhere = isinstance(sight, True_)
    if issubclass(noun, Owned) and parent(noun) is Project and not everywhere:
        ids = ids.with_hint(noun, f"FORCE INDEX ({index_by_parent(noun)})")
    columns: list[Any] = [
        literal(noun.__tablename__),
        noun.id,
        func.coalesce(noun.title(), ""),
        noun.created_at,
    ]
    return select(*columns).where(noun.id.in_(select(ids.subquery().c[0])))


def waiting(db: Database, now: datetime, projects: Projects) -> Backlog:
    """What the workers still have to do; of some projects without what they do behind it."""
    if projects is None:
        return backlog.read(db)
    ids = projects.subquery("projects")
    new = (Analysis.status == PENDING) & (Analysis.queued_at < BEHIND)
    known = (
        select(
            func.coalesce(func.sum(case((new, 1), else_=0)), 0),
            func.min(case((new, Analysis.queued_at))),
            func.coalesce(func.sum(case((Analysis.status == FAILED, 1), else_=0)), 0),
        )
        .prefix_with("STRAIGHT_JOIN")
        .select_from(ids)
        .join(Analysis, Analysis.project_id == ids.c[0])
        .with_hint(Analysis, "FORCE INDEX (ix_analysis_project_id_status_target_id)")
        .where(Analysis.status.in_((PENDING, FAILED)))
    )
    number, oldest, failed = db.read(known)[0]
    lag = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    return Backlog(int(number), lag, 0, int(failed))


def last_change(db: Database) -> int | None:
    """The number of the last entry of the audit trail; each change of a row leaves one."""
    number: int | None = db.read(select(func.max(Audit.id)))[0][0]
    return number


def database_version(db: Database) -> str:
    """The version string of the database server."""
    return cast("str", db.read(select(func.version()))[0][0])


def _of(statement: Any, projects: Select[int]) -> Any:
    """A statement over the targets of some projects, which are found first."""
    ids = projects.subquery("projects")
    return (
        statement.prefix_with("STRAIGHT_JOIN")
        .select_from(ids)
        .join(Target, Target.project_id == ids.c[0])
        .with_hint(Target, _BY_SUMS)
    )


def _numbers(db: Database, statement: Select[Any]) -> list[int]:
    return [int(number) for number in db.read(statement)[0]]


def _number(db: Database, statement: Select[Any]) -> int:
    return _numbers(db, statement)[0]
