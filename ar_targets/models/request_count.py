"""How many requests there were in each of the last hours, by outcome and duration.

Every process of the server adds what it has counted about once a minute
(`ar_targets.http.request_counter`); the panel's dashboard shows the last day. Metrics do not
forget with a process, but need a Prometheus to look back.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Index, bindparam, func, select
from sqlalchemy.dialects.mysql import BIGINT, INTEGER, insert
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..db.base import TABLE_OPTIONS, Base, Moment
from ..db.session import Database
from .noun import Expiring

KEPT = timedelta(days=2)
# Upper bounds of durations in milliseconds; the last class has all that is longer.
BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class RequestCount(Expiring, Base):
    """The number of an hour's requests with one class of status and of duration."""

    __tablename__ = "request_count"
    expired = "old counts of requests"
    __table_args__ = (
        # For the purge, and for the last hours.
        Index("ix_request_count_expires_at", "expires_at"),
        TABLE_OPTIONS,
    )

    # The other columns as one number, so that processes add to the same row.
    id: Mapped[int] = mapped_column(BIGINT, primary_key=True, autoincrement=False)
    hour: Mapped[Moment]
    # The first digit of the status.
    status: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    # The place in `BOUNDS`.
    duration: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    number: Mapped[int] = mapped_column(BIGINT)


class Key(NamedTuple):
    """What is counted together."""

    hour: datetime
    status: int
    duration: int

    @property
    def row_id(self) -> int:
        """The primary key."""
        hours = clock.timestamp(self.hour) // 3600
        return (hours * 10 + self.status) * 100 + self.duration


class Traffic(NamedTuple):
    """Requests of a period; durations are upper bounds in seconds, None without a request."""

    requests: int
    client_errors: int
    server_errors: int
    median: float | None
    slowest_twentieth: float | None


_SINCE = (
    select(RequestCount.status, RequestCount.duration, func.sum(RequestCount.number))
    .with_hint(RequestCount, "FORCE INDEX (ix_request_count_expires_at)")
    .where(RequestCount.expires_at >= bindparam("since"))
    .group_by(RequestCount.status, RequestCount.duration)
)


def duration_class(seconds: float) -> int:
    """The place in `BOUNDS` of a duration."""
    milliseconds = seconds * 1000
    return next((n for n, bound in enumerate(BOUNDS) if milliseconds <= bound), len(BOUNDS))


def add(db: Database, counted: Mapping[Key, int]) -> None:
    """Add numbers to those of other processes, in the order of the key, so that none deadlock."""
    rows = [
        {
            "id": key.row_id,
            **key._asdict(),
            "number": number,
            "expires_at": key.hour + KEPT,
        }
        for key, number in sorted(counted.items())
    ]
    made = insert(RequestCount).values(rows)
    db.write(made.on_duplicate_key_update(number=RequestCount.number + made.inserted.number))


def traffic(db: Database, since: datetime) -> Traffic:
    """The requests of the hours from that time on."""
    rows = [(int(row[0]), int(row[1]), int(row[2])) for row in db.read(_SINCE, since=since + KEPT)]
    total = sum(number for *_, number in rows)

    def quantile(part: float) -> float | None:
        """The bound below which that part of all requests is."""
        wanted, seen = part * total, 0
        for duration, number in sorted((duration, number) for _, duration, number in rows):
            seen += number
            if seen >= wanted:
                return BOUNDS[duration] / 1000 if duration < len(BOUNDS) else math.inf
        return None

    return Traffic(
        total,
        sum(number for status, _, number in rows if status == 4),
        sum(number for status, _, number in rows if status == 5),
        quantile(0.5),
        quantile(0.95),
    )
