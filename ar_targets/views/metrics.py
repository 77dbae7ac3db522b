"""``/metrics`` for Prometheus: only for the networks in the setting, and not through a proxy."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..errors import FieldError, problem
from ..http import trusted_proxy
from ..http.service import public_service
from ..models import backlog, backup_result, purge_result, row_count, usage
from ..models.backlog import Backlog
from ..models.backup_result import BackupResultRecord
from ..models.purge_result import PurgeResultRecord
from ..models.row_count import Count
from ..telemetry.metrics import NAMESPACE
from ..version import VERSION

log = logging.getLogger(__name__)

metrics = public_service("metrics", "/metrics")


@metrics.get(permission=NO_PERMISSION_REQUIRED)
def read_metrics(request: Request) -> Response:
    """The metrics of all processes of this server, in Prometheus's text format."""
    if not trusted_proxy.is_within(request.environ, request.registry.ar_settings.metrics_networks):
        reason = "only for the networks in ar_targets.metrics_networks, and not through a proxy"
        raise problem(HTTPForbidden, FieldError("path", "", reason))
    text = request.registry.metrics.text([build_info(), *from_database(request)])
    response = Response(body=text)
    # Headers passed to the constructor would replace its Content-Length.
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    response.headers["Cache-Control"] = "no-store"
    return response


def build_info() -> Metric:
    """The version that runs, as a label."""
    family = GaugeMetricFamily(
        f"{NAMESPACE}_build_info", "Always 1; the label is the version.", labels=("version",)
    )
    family.add_metric((VERSION,), 1)
    return family


def from_database(request: Request) -> Iterator[Metric]:
    """Metrics from the database; if it is unavailable, only that, to serve the others."""
    try:
        counts, purged = row_count.counts(request.db), purge_result.everything(request.db)
        backed_up = backup_result.everything(request.db)
        near = request.registry.near_limits.get(request.db)
        left = request.registry.backlog.get(request.db)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("no rows can be counted: %s", getattr(error, "orig", error))
        yield GaugeMetricFamily(f"{NAMESPACE}_database_up", DATABASE_UP, 0)
        return
    yield GaugeMetricFamily(f"{NAMESPACE}_database_up", DATABASE_UP, 1)
    yield rows(counts)
    yield from purges(purged)
    yield from backups(backed_up)
    yield near_limit(near)
    yield from pictures(left)


DATABASE_UP = "Whether the database has answered just now."


def rows(counts: list[Count]) -> Metric:
    """Numbers of live and dead rows."""
    family = GaugeMetricFamily(
        f"{NAMESPACE}_rows",
        "Rows, the dead being deleted, expired or revoked but not purged yet; "
        f"estimated from {row_count.FEW} on.",
        labels=("noun", "state"),
    )
    for count in counts:
        family.add_metric((count.noun, "live"), count.live)
        family.add_metric((count.noun, "dead"), count.dead)
    return family


def near_limit(counts: dict[usage.Name, int]) -> Metric:
    """Numbers of users and projects near a limit."""
    family = GaugeMetricFamily(
        f"{NAMESPACE}_near_limit",
        f"Users, or projects of `targets`, that use {usage.NEAR:.0%} of a limit or more; counted "
        f"every {usage.KEPT_SECONDS // 60} minutes.",
        labels=("limit",),
    )
    for name, number in counts.items():
        family.add_metric((name,), number)
    return family


def pictures(left: Backlog) -> Iterator[Metric]:
    """What is left for the workers to do."""
    family = GaugeMetricFamily(
        f"{NAMESPACE}_pictures",
        "Pictures: new ones that wait for their analysis, those that come behind them (of an "
        "older version, or not queued by an older server), and those that were given up; counted "
        f"every {backlog.KEPT_SECONDS} s.",
        labels=("state",),
    )
    for state in ("waiting", "behind", "failed"):
        family.add_metric((state,), getattr(left, state))
    yield family
    yield GaugeMetricFamily(
        f"{NAMESPACE}_picture_lag_seconds",
        "How long the oldest of the new pictures has waited for its analysis.",
        left.lag_seconds,
    )


def seconds_since_1970(moment: datetime) -> float:
    """As Prometheus has times; with fractions."""
    return moment.replace(tzinfo=UTC).timestamp()


def purges(results: list[PurgeResultRecord]) -> Iterator[Metric]:
    """Results of ar_targets_purge."""
    removed = CounterMetricFamily(
        f"{NAMESPACE}_purge_removed_rows", "Rows that purges have removed.", labels=("kind",)
    )
    finished = GaugeMetricFamily(
        f"{NAMESPACE}_purge_finished_timestamp_seconds",
        "When a purge last came to its end, in seconds since 1970.",
        labels=("kind",),
    )
    for result in results:
        removed.add_metric((result.kind,), result.removed)
        if result.finished_at is not None:
            finished.add_metric((result.kind,), seconds_since_1970(result.finished_at))
    yield removed
    yield finished


def backups(results: list[BackupResultRecord]) -> Iterator[Metric]:
    """Results of ar_targets_backup: the last success, and the last failure."""
    finished = GaugeMetricFamily(
        f"{NAMESPACE}_backup_finished_timestamp_seconds",
        "When a backup last ended with this outcome, in seconds since 1970.",
        labels=("outcome",),
    )
    seconds = GaugeMetricFamily(
        f"{NAMESPACE}_backup_seconds",
        "How long the last backup with this outcome took.",
        labels=("outcome",),
    )
    size = GaugeMetricFamily(f"{NAMESPACE}_backup_bytes", "Size of the last whole backup.")
    for result in results:
        finished.add_metric((result.outcome,), seconds_since_1970(result.finished_at))
        seconds.add_metric((result.outcome,), result.seconds)
        if result.outcome == "success":
            size.add_metric((), result.size)
    yield finished
    yield seconds
    yield size
