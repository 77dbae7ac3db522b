"""How much is left for the workers to do (`ar_targets.jobs`)."""

import math
import threading
import time
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from .. import clock
from ..db.session import Database
from ..vision.version import VERSION
from .analysis import FAILED, PENDING, Analysis

# ``queued_at`` of pictures that nobody has just sent: their place is behind all others.
BEHIND = datetime(9999, 1, 1)  # noqa: DTZ001  # as all others in the database
# Seconds for which a process keeps the numbers.
KEPT_SECONDS = 30


class Backlog(NamedTuple):
    """Numbers of pictures."""

    # New ones, and the seconds that the oldest of them has waited.
    waiting: int
    lag_seconds: float
    # Those that come after them: of an older version, or found by the backfill.
    behind: int
    # Given up.
    failed: int


_QUEUED = "FORCE INDEX (ix_analysis_status_queued_at_target_id)"
_NEW = (Analysis.status == PENDING, Analysis.queued_at < BEHIND)
_NUMBER = select(func.count()).select_from(Analysis).with_hint(Analysis, _QUEUED)
_ALL = select(
    _NUMBER.where(*_NEW).scalar_subquery(),
    select(func.min(Analysis.queued_at))
    .with_hint(Analysis, _QUEUED)
    .where(*_NEW)
    .scalar_subquery(),
    _NUMBER.where(Analysis.status == PENDING, Analysis.queued_at >= BEHIND).scalar_subquery(),
    select(func.count())
    .select_from(Analysis)
    .with_hint(Analysis, "FORCE INDEX (ix_analysis_version_target_id)")
    .where(Analysis.version < VERSION)
    .scalar_subquery(),
    _NUMBER.where(Analysis.status == FAILED).scalar_subquery(),
)


def read(db: Database) -> Backlog:
    """The numbers now; each is counted in an index alone."""
    waiting, oldest, found, old, failed = db.read(_ALL)[0]
    lag = 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
    return Backlog(waiting, round(lag, 1), found + old, failed)


class KeptBacklog:
    """The numbers as a process shows them: counted now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._backlog = Backlog(0, 0.0, 0, 0)
        self._holds_until = -math.inf

    def get(self, db: Database) -> Backlog:
        """The numbers of the last `KEPT_SECONDS`."""
        with self._lock:
            if time.monotonic() >= self._holds_until:
                self._backlog = read(db)
                self._holds_until = time.monotonic() + KEPT_SECONDS
            return self._backlog
