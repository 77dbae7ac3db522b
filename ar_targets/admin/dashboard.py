"""``/admin/``: counts, charts, expiring tokens; for administrators requests and health, too."""

import threading
import time
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask_admin import AdminIndexView
from sqlalchemy import ColumnElement, true

from .. import clock
from ..db.session import Database
from ..models import SCHEMA_REVISION, request_count, statistics, usage
from ..models.backlog import Backlog
from ..models.noun import SoftDeletable
from ..models.project import Project
from ..models.schema import fits, schema_revision
from ..models.statistics import Day, ExpiringToken, Latest, Storage, TokenCounts
from ..models.target import Target
from ..models.usage import NEAR, Use
from ..models.user import User
from . import chart
from .context import db, limits, settings
from .page import Page, path
from .role import in_sight, projects_in_sight, tokens_in_sight, viewer

DAYS = 30
SOON = timedelta(days=7)
EXPIRING_SHOWN, LATEST_SHOWN, PROJECTS_SHOWN, USES_SHOWN = 8, 8, 10, 8
# Counting a million rows of each kind takes some seconds. Counts that took longer than this are
# kept: for as long as they took, and on until something changes, but not beyond the maximum,
# since tokens expire without a change.
AT_ONCE, KEPT_AT_MOST = 0.2, 300.0
# Without an audit trail nothing tells of changes: kept for as many times as long.
KEPT_TIMES = 10
# Maximum viewers whose counts a process keeps.
VIEWERS = 100


class Counted(NamedTuple):
    """Counts that may take long, and when that was done."""

    users: int | None
    projects: int
    days: list[Day]
    storage: list[Storage]
    tokens: TokenCounts
    expiring: list[ExpiringToken]
    latest: list[Latest]
    uses: list[Use]
    at: datetime

    @property
    def empty(self) -> bool:
        """Whether there is nothing yet."""
        return self.projects == 0

    @property
    def other_storage(self) -> int:
        """The bytes of the projects that are not listed."""
        return max(0, self.days[-1].size - sum(project.size for project in self.storage))


class Kept(NamedTuple):
    """Counts that took long, how long they hold, and the last change that is in them."""

    counted: Counted
    holds_until: float
    ends: float
    change: int | None

    def holds(self, change: int | None) -> bool:
        """Whether the counts can be shown once more."""
        now = time.monotonic()
        unchanged = change is not None and change == self.change
        return now < self.holds_until or (unchanged and now < self.ends)


class Counter:
    """The counts: anew for each page, or kept where they took long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int | None, Kept] = OrderedDict()

    def get(self) -> Counted:
        """The viewer's counts. Administrators have the same."""
        key = None if viewer().is_admin else viewer().id
        # Before it counts: what changes meanwhile is counted the next time.
        change = statistics.last_change(db()) if settings().audit_days else None
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept.holds(change):
            return kept.counted
        begun = time.monotonic()
        counted = count()
        took = time.monotonic() - begun
        if took > AT_ONCE:
            self._keep(key, counted, took, change)
        return counted

    def _keep(self, key: int | None, counted: Counted, took: float, change: int | None) -> None:
        now, times = time.monotonic(), KEPT_TIMES if change is None else 1
        with self._lock:
            self._kept[key] = Kept(counted, now + times * took, now + KEPT_AT_MOST, change)
            self._kept.move_to_end(key)
            while len(self._kept) > VIEWERS:
                self._kept.popitem(last=False)


def count() -> Counted:
    """Query the counts."""
    database, now = db(), clock.now()
    projects = None if viewer().is_admin else projects_in_sight()
    tokens = tokens_in_sight()
    return Counted(
        statistics.users(database) if viewer().is_admin else None,
        statistics.projects(database, projects),
        statistics.days(database, now, DAYS, projects),
        statistics.storage(database, PROJECTS_SHOWN, projects),
        statistics.tokens(database, now, tokens),
        statistics.expiring(database, now, now + SOON, EXPIRING_SHOWN, tokens),
        statistics.latest(database, LATEST_SHOWN, nouns_in_sight()),
        uses(database),
        now,
    )


def uses(database: Database) -> list[Use]:
    """What the viewer uses of the limits, and which projects are near theirs.

    For administrators, all users and projects that are near a limit.
    """
    most, mine = limits().most, viewer().id
    if viewer().is_admin:
        return usage.near(database, most, USES_SHOWN)
    return [
        Use("projects", mine, viewer().login, usage.projects(database, mine), most["projects"]),
        Use("bytes", mine, viewer().login, usage.owners_bytes(database, mine), most["bytes"]),
        *usage.near(database, {"targets": most["targets"]}, USES_SHOWN, mine),
    ]


def nouns_in_sight() -> dict[type[SoftDeletable], ColumnElement[bool]]:
    """The nouns whose last rows are shown, and which of these the viewer sees."""
    nouns: dict[type[SoftDeletable], ColumnElement[bool]] = {
        Project: in_sight(Project.id),
        Target: in_sight(Target.project_id),
    }
    if viewer().is_admin:
        nouns[User] = true()
    return nouns


class DashboardPage(Page, AdminIndexView):  # type: ignore[misc]
    """The panel's start page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # No page uses Flask-Admin's own static files.
        self.static_folder = None
        self._counter = Counter()

    @path("/")
    def index(self) -> Any:
        """Render the dashboard."""
        counted = self._counter.get()
        targets = [day.targets for day in counted.days]
        stored = [day.size for day in counted.days]
        return self.render(
            "dashboard.html",
            counted=counted,
            targets=targets,
            stored=stored,
            target_chart=chart.draw(targets),
            stored_chart=chart.draw(stored),
            near=NEAR,
            pictures=self.waiting(),
            health=self.health(clock.now()) if viewer().is_admin else None,
        )

    def waiting(self) -> Backlog:
        """What there is left to examine; it changes all the time, and is counted by indexes."""
        projects = None if viewer().is_admin else projects_in_sight()
        return statistics.waiting(db(), clock.now(), projects)

    def health(self, now: datetime) -> dict[str, Any]:
        """What an operator looks at: requests of the last day, schema and database."""
        since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
        counts = settings().request_counts
        schema = schema_revision(db())
        return {
            "traffic": request_count.traffic(db(), since) if counts else None,
            "schema": schema,
            "schema_fits": fits(schema),
            "schema_wanted": SCHEMA_REVISION,
            "database": statistics.database_version(db()),
        }
