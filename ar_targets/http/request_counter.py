"""Counts the API's requests for the panel's dashboard, and adds them to the database at times.

Each process counts in memory, and stores its counts at the end of a request, about once a minute;
only of one that has just used the database, so that none waits for one that is away. What a
process has counted in its last minute is lost when it ends.
"""

import logging
import threading
import time
from collections import Counter

from pyramid.config import Configurator
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from .. import clock
from ..db.session import transaction_scope
from ..models import request_count
from ..models.request_count import Key
from ..telemetry.request_context import RequestContext

log = logging.getLogger(__name__)

# Seconds between two writes of a process.
INTERVAL = 60.0
SERVER_ERROR = 500


class RequestCounter:
    """The counts of this process that are not in the database yet."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._counted: Counter[Key] = Counter()
        self._next = time.monotonic() + INTERVAL

    def note(self, noted: RequestContext) -> None:
        """Count a finished request of the API, and store what there is, if it is time."""
        if noted.route is None or not noted.route.startswith("/api"):
            return
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        key = Key(hour, noted.status // 100, request_count.duration_class(noted.seconds))
        with self._lock:
            self._counted[key] += 1
            if time.monotonic() < self._next or not _reached(noted):
                return
            counted, self._counted = self._counted, Counter()
            self._next = time.monotonic() + INTERVAL
        self._store(counted)

    def _store(self, counted: Counter[Key]) -> None:
        try:
            with transaction_scope(self._engine) as db:
                request_count.add(db, counted)
        except SQLAlchemyError as error:
            log.warning("%d counts of requests are lost: %s", sum(counted.values()), error)


def _reached(noted: RequestContext) -> bool:
    """Whether a request has just used the database."""
    return noted.statements > 0 and noted.status < SERVER_ERROR


def includeme(config: Configurator) -> None:
    """Set ``registry.request_counter``, unless the setting ``request_counts`` is off."""
    counts = config.registry.ar_settings.request_counts
    config.registry.request_counter = RequestCounter(config.registry.engine) if counts else None
