"""The limit of questions that are answered at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .metrics import Metrics


class BusyError(Exception):
    """So many are being answered already."""


class InFlight:
    """Counts the questions being answered; the first one too many is refused at once."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._places = threading.BoundedSemaphore(limit)
        self._limit, self._metrics = limit, metrics

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places. Raises BusyError."""
        if not self._places.acquire(blocking=False):
            raise BusyError(f"{self._limit} requests are being answered, which is the limit")
        self._metrics.in_flight.inc()
        try:
            yield
        finally:
            self._metrics.in_flight.dec()
            self._places.release()
