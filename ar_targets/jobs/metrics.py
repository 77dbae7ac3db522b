"""What a worker itself shows to Prometheus; the queue is shown by the API's servers."""

import re

from prometheus_client import CollectorRegistry, Histogram, start_http_server

from ..telemetry.metrics import NAMESPACE
from .analysis import Outcome

# Seconds: a picture takes one or two, a hostile one ten.
BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60)


class WorkerMetrics:
    """The durations of pictures, by how the work on them ended."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "worker_picture_seconds",
            "Time that pictures were worked on, by how it ended.",
            ("outcome",),
            namespace=NAMESPACE,
            registry=self.registry,
            buckets=BUCKETS,
        )

    def count(self, outcome: Outcome, seconds: float) -> None:
        """Count a picture."""
        self._seconds.labels(outcome).observe(seconds)

    def listen(self, address: str) -> None:
        """Serve them at an address and port, in a thread. Raises OSError."""
        host, _, port = address.rpartition(":")
        start_http_server(int(port), re.sub(r"[\[\]]", "", host), self.registry)
