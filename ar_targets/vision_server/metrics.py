"""The metrics of ``ar_targets_vision``, which is one process."""

from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ..telemetry.metrics import BUCKETS, NAMESPACE


class Metrics:
    """All of them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        options: Any = {"namespace": f"{NAMESPACE}_vision", "registry": self._registry}
        counter: Any = partial(Counter, **options)
        gauge: Any = partial(Gauge, **options)
        self.requests = Histogram(
            "request_seconds",
            "Time to answer requests, by route and status.",
            ("route", "status"),
            buckets=BUCKETS,
            **options,
        )
        self.in_flight = gauge("in_flight_requests", "Questions being answered.")
        self.indexes = gauge("indexes", "Projects whose indexes are in memory.")
        self.index_bytes = gauge("index_bytes", "Memory that these indexes take.")
        self.loads = counter("index_loads", "Indexes loaded from the database.")
        self.drops = counter("index_drops", "Indexes dropped to stay within the memory allowed.")

    def text(self) -> bytes:
        """In Prometheus's text format."""
        return generate_latest(self._registry)
