"""``/admin/``: row counts, charts, expiring tokens, and the state of schema and database."""

import threading
import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask_admin import AdminIndexView

from .. import clock
from ..models import SCHEMA_REVISION, statistics
from ..models.schema import schema_revision
from ..models.statistics import Day, Totals
from . import chart, context
from .page import Page, path

DAYS = 30
SOON = timedelta(days=7)
EXPIRING_SHOWN, LATEST_SHOWN = 8, 8
# Seconds for which counts are cached: with a million rows of each kind they take two or three.
KEPT = 300.0


class Counted(NamedTuple):
    """Counts that take long to query, and when that was done."""

    totals: Totals
    days: list[Day]
    at: datetime


class Counter:
    """Caches the counts for `KEPT` seconds, in each process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counted | None = None
        self._until = 0.0

    def get(self) -> Counted:
        """The cached counts, queried again if they are too old."""
        with self._lock:
            if self._counted is None or time.monotonic() >= self._until:
                self._counted = count()
                self._until = time.monotonic() + KEPT
            return self._counted


def count() -> Counted:
    """Query the counts."""
    db, now = context.db(), clock.now()
    totals = statistics.totals(db, now)
    return Counted(totals, statistics.days(db, now, DAYS), now)


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
        db, now = context.db(), clock.now()
        counted = self._counter.get()
        targets = chart.running_totals(
            counted.totals.rows["target"], [day.targets for day in counted.days]
        )
        stored = chart.running_totals(counted.totals.stored, [day.size for day in counted.days])
        schema = schema_revision(db)
        return self.render(
            "dashboard.html",
            totals=counted.totals,
            counted_at=counted.at,
            days=counted.days,
            targets=targets,
            stored=stored,
            target_chart=chart.draw(targets),
            stored_chart=chart.draw(stored),
            expiring=statistics.expiring(db, now, now + SOON, EXPIRING_SHOWN),
            latest=statistics.latest(db, LATEST_SHOWN),
            schema=schema,
            schema_wanted=SCHEMA_REVISION,
            database=statistics.database_version(db),
        )
