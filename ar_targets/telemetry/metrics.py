"""The metrics for ``/metrics``, of all processes of the server together.

With ``PROMETHEUS_MULTIPROC_DIR`` in the environment, which `ar_targets.server` sets,
prometheus_client's processes share their values in files there; otherwise each process has its
own.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from pyramid.config import Configurator
from sqlalchemy import event
from sqlalchemy.engine import Engine

from .request_context import RequestContext

NAMESPACE = "ar_targets"
# The environment variable from which prometheus_client takes the shared directory.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Histogram buckets in seconds, from a 304 to the timeout of a client.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The creation times of counters would double the number of lines, and are not used.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """All metrics except those that are read from the database."""

    def __init__(self, engines: Sequence[Engine], directory: str | None = None) -> None:
        """``directory`` is the one that processes share."""
        self._directory = Path(directory) if directory else None
        if self._directory:
            # For `_forget_dead`, which does not depend on the names of the library's files.
            (self._directory / f"process-{os.getpid()}").touch()
        self._registry = CollectorRegistry()
        options: Any = {"namespace": NAMESPACE, "registry": self._registry}
        counter: Any = partial(Counter, **options)
        gauge: Any = partial(Gauge, **options, multiprocess_mode="livesum")

        self._requests = Histogram(
            "request_seconds",
            "Time to answer requests, by route and status.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            **options,
        )
        # A cache: the library's lookup of labels takes longer than the rest of its work.
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self._uploads = counter("uploads", "Images stored.")
        self._upload_bytes = counter("upload_bytes", "Bytes of images stored.")
        failures = counter("login_failures", "Logins refused.", ("reason",))
        self.wrong_logins = failures.labels("wrong")
        self.throttled_logins = failures.labels("throttled")
        self._received = counter("received_bytes", "Bytes of requests' bodies.")
        self._sent = counter("sent_bytes", "Bytes of responses' bodies.")
        self._database = counter("database_seconds", "Time that requests waited for the database.")
        self._statements = counter("statements", "Statements that requests had executed.")
        self._slow = counter("slow_statements", "Statements that were logged as slow.")
        self.in_flight = gauge("in_flight_requests", "Requests being answered.")
        self._pool_used = gauge("pool_used_connections", "Database connections in use.")
        pool_size = gauge("pool_max_connections", "Database connections allowed.")
        pools: list[Any] = [engine.pool for engine in engines]
        pool_size.set(sum(pool.size() for pool in pools))
        for engine in engines:
            event.listen(engine, "checkout", lambda *_: self._pool_used.inc())
            event.listen(engine, "checkin", lambda *_: self._pool_used.dec())

    def count(self, noted: RequestContext, method: str, route: str, received: int) -> None:
        """Count a request. The labels have few values: our methods, route patterns, statuses."""
        key = (method, route, noted.status)
        observe = self._observers.get(key)
        if observe is None:
            observe = self._observers[key] = self._requests.labels(*key).observe
        observe(noted.seconds)
        if received:
            self._received.inc(received)
        if noted.sent:
            self._sent.inc(noted.sent)
        if noted.statements:
            self._statements.inc(noted.statements)
            self._database.inc(noted.database_seconds)
        if noted.slow_statements:
            self._slow.inc(noted.slow_statements)
        if noted.upload_bytes is not None and noted.status < 400:
            self._uploads.inc()
            self._upload_bytes.inc(noted.upload_bytes)

    def text(self, more: Iterable[Metric]) -> bytes:
        """All metrics, and those in ``more``, in Prometheus's text format."""
        shared = self._registry
        if self._directory:
            self._forget_dead(self._directory)
            shared = CollectorRegistry()
            collect: Any = MultiProcessCollector
            collect(shared, path=str(self._directory))
        return generate_latest(shared) + generate_latest(_Ready(more))

    def _forget_dead(self, directory: Path) -> None:
        """Drop the gauges of processes that have ended; their counters stay."""
        for mark in directory.glob("process-*"):
            pid = int(mark.name.partition("-")[2])
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
                mark.unlink(missing_ok=True)


class _Ready:
    """A collector of metrics that have their values already, for `generate_latest`."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


def includeme(config: Configurator) -> None:
    """Set ``registry.metrics``."""
    engines = (config.registry.engine, config.registry.read_engine)
    config.registry.metrics = Metrics(engines, os.environ.get(DIRECTORY))
