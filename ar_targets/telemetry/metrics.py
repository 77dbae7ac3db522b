"""What this process counts for ``/metrics``, alone or together with others.

prometheus_client lets processes share what they count in files that they map
into memory. Ours are named by a worker's place, not by its id: a worker that
takes the place of a dead one counts on from where that had come, and there are
never more files than places.
"""

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from pyramid.config import Configurator
from sqlalchemy.engine import Engine

from .. import line
from .trace import Trace

NAMESPACE = "ar_targets"
# Where prometheus_client looks for the directory that processes share.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Seconds, from a 304 to the end of a client's patience.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# When each counter began would be as many lines again, for nobody.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """All metrics but those that are read from the database.

    With a ``directory``, those of all processes that were given the same one,
    each of which has a ``place`` of its own.
    """

    def __init__(self, engine: Engine, directory: str | None = None, place: int = 0) -> None:
        self._engine, self._directory = engine, directory
        if directory is None:
            values.ValueClass = values.MutexValue
        else:
            # By itself, the library chooses when it is imported, and names files by process.
            os.environ[DIRECTORY] = directory
            shared: Any = values.MultiProcessValue
            values.ValueClass = shared(lambda: place)
        self._registry = CollectorRegistry()
        options: Any = {"namespace": NAMESPACE, "registry": self._registry}
        counter: Any = partial(Counter, **options)
        gauge: Any = partial(Gauge, **options, multiprocess_mode="sum")

        self._requests = Histogram(
            "request_seconds",
            "Time to answer requests, by route and status.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            **options,
        )
        # The library's own search for labels takes longer than the rest of its work.
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self._uploads = counter("uploads", "Images stored.")
        self._upload_bytes = counter("upload_bytes", "Bytes of images stored.")
        failures = counter("login_failures", "Logins refused.", ("reason",))
        self.wrong_logins = failures.labels("wrong")
        self.throttled_logins = failures.labels("throttled")

        # These are summed up here, and told from time to time: that costs next to nothing.
        self._sums = (
            counter("received_bytes", "Bytes of requests' bodies."),
            counter("sent_bytes", "Bytes of responses' bodies."),
            counter("database_seconds", "Time that requests waited for the database."),
            counter("statements", "Statements that requests had executed."),
            counter("slow_statements", "Statements that were logged as slow."),
        )
        self._untold: list[float] = [0] * len(self._sums)

        # Requests that are being answered.
        self.in_flight: set[Trace] = set()
        self._in_flight = gauge("in_flight_requests", "Requests being answered.")
        self._pool_used = gauge("pool_used_connections", "Database connections in use.")
        self._pool_size = gauge("pool_max_connections", "Database connections allowed.")
        self.tell()

    def count(self, noted: Trace, method: str, route: str, received: int) -> None:
        """Count a request. The labels are few: our methods, patterns of routes, statuses.

        The journal calls this and `tell`, never two at once.
        """
        key = (method, route, noted.status)
        observe = self._observers.get(key)
        if observe is None:
            observe = self._observers[key] = self._requests.labels(*key).observe
        observe(noted.seconds)
        untold = self._untold
        untold[0] += received
        untold[1] += noted.sent
        untold[2] += noted.database_seconds
        untold[3] += noted.statements
        untold[4] += noted.slow_statements
        if noted.upload_bytes is not None and noted.status < 400:
            self._uploads.inc()
            self._upload_bytes.inc(noted.upload_bytes)

    def tell(self) -> None:
        """Bring up to date what is not told as it happens."""
        for number, counter in enumerate(self._sums):
            counter.inc(self._untold[number])
            self._untold[number] = 0
        self._in_flight.set(len(self.in_flight))
        pool: Any = self._engine.pool
        self._pool_used.set(line.used(pool))
        self._pool_size.set(pool.size())

    def text(self, more: Iterable[Metric]) -> bytes:
        """All metrics, and some more, in Prometheus's text format."""
        shared = CollectorRegistry() if self._directory else self._registry
        if self._directory:
            collect: Any = MultiProcessCollector
            collect(shared, path=self._directory)
        return generate_latest(shared) + generate_latest(_Ready(more))


class _Ready:
    """Metrics that have their values already, as `generate_latest` takes them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


def includeme(config: Configurator) -> None:
    """Set ``registry.metrics``; `server` gives each of several workers its own."""
    config.registry.metrics = Metrics(config.registry.engine)
