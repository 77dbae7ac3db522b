"""``/admin/``: counts, charts, expiring tokens; for administrators requests and health, too."""

import threading
import time
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask_admin import AdminIndexView
from sqlalchemy import ColumnElement, Select, select, true

from .. import clock
from ..models import SCHEMA_REVISION, request_count, statistics
from ..models.noun import SoftDeletable
from ..models.project import Project
from ..models.schema import schema_revision
from ..models.statistics import Day, Storage, TokenCounts
from ..models.target import Target
from ..models.user import User
from . import chart
from .context import db, settings
from .page import Page, path
from .role import in_sight, own_projects, shared_projects, tokens_in_sight, viewer

DAYS = 30
SOON = timedelta(days=7)
EXPIRING_SHOWN, LATEST_SHOWN, PROJECTS_SHOWN = 8, 8, 10
# Counting a million rows of each kind takes some seconds. Counts that took longer than this are
# kept, for as many times as long.
AT_ONCE, KEPT_TIMES = 0.2, 10
# Maximum viewers whose counts a process keeps.
VIEWERS = 100


class Counted(NamedTuple):
    """Counts that may take long, and when that was done."""

    users: int | None
    projects: int
    days: list[Day]
    storage: list[Storage]
    tokens: TokenCounts
    at: datetime

    @property
    def empty(self) -> bool:
        """Whether there is nothing yet."""
        return self.projects == 0


class Counter:
    """The counts: anew for each page, or kept for a while where they took long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int | None, tuple[float, Counted]] = OrderedDict()

    def get(self) -> Counted:
        """The viewer's counts. Administrators have the same."""
        key = None if viewer().is_admin else viewer().id
        with self._lock:
            until, counted = self._kept.get(key, (0.0, None))
        if counted is not None and time.monotonic() < until:
            return counted
        begun = time.monotonic()
        counted = count()
        took = time.monotonic() - begun
        if took > AT_ONCE:
            with self._lock:
                self._kept[key] = (time.monotonic() + KEPT_TIMES * took, counted)
                self._kept.move_to_end(key)
                while len(self._kept) > VIEWERS:
                    self._kept.popitem(last=False)
        return counted


def count() -> Counted:
    """Query the counts."""
    database, now, projects = db(), clock.now(), projects_in_sight()
    return Counted(
        statistics.users(database) if viewer().is_admin else None,
        statistics.projects(database, projects),
        statistics.days(database, now, DAYS, projects),
        statistics.storage(database, PROJECTS_SHOWN, projects),
        statistics.tokens(database, now, own_projects() if projects is not None else None),
        now,
    )


def projects_in_sight() -> Select[int] | None:
    """The ids of the viewer's projects; None for all."""
    if viewer().is_admin:
        return None
    ids = own_projects().union(shared_projects()).subquery()
    return select(ids.c[0])


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
        now, counted = clock.now(), self._counter.get()
        targets = [day.targets for day in counted.days]
        stored = [day.size for day in counted.days]
        nouns: dict[type[SoftDeletable], ColumnElement[bool]] = {
            Project: in_sight(Project.id),
            Target: in_sight(Target.project_id),
        }
        if viewer().is_admin:
            nouns[User] = true()
        return self.render(
            "dashboard.html",
            counted=counted,
            targets=targets,
            stored=stored,
            target_chart=chart.draw(targets),
            stored_chart=chart.draw(stored),
            expiring=statistics.expiring(db(), now, now + SOON, EXPIRING_SHOWN, tokens_in_sight()),
            latest=statistics.latest(db(), LATEST_SHOWN, nouns),
            health=self.health(now) if viewer().is_admin else None,
        )

    def health(self, now: datetime) -> dict[str, Any]:
        """What an operator looks at: requests of the last day, schema and database."""
        since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
        counts = settings().request_counts
        return {
            "traffic": request_count.traffic(db(), since) if counts else None,
            "schema": schema_revision(db()),
            "schema_wanted": SCHEMA_REVISION,
            "database": statistics.database_version(db()),
        }
