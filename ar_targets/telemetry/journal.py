"""What has happened: of each request that has ended, one log line and its metrics.

A server (`server`) lets requests gather for a moment and has them written
together. The processor does many at once for a third of what it takes for
each by itself, in the midst of other work.
"""

import logging
import re
import threading
import time
from collections import deque
from functools import cache
from typing import Any, NoReturn

from .event import Event, Past, Report
from .trace import Trace

# The ini files set the level of this one apart.
log = logging.getLogger("ar_targets.access")

# Lines that are written at once. So many are shorter than a page: what is written to a
# pipe is never torn, however many processes write.
LINES = 6
# Requests that are waited for, and the seconds for which they are.
GATHERED = 60
PAUSE = 0.2

# Labels of metrics, and words of log lines, that stand for whatever a client may invent.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER, NO_ROUTE = "other", "none"
# Digits enough for any length; Python refuses to read thousands of them.
MANY_DIGITS = 18


class Journal:
    """Takes requests that have ended, and sees to their lines and metrics."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._ended: deque[Trace] = deque()
        self._lock = threading.Lock()
        self._gathered = 1

    def add(self, ended: Trace) -> None:
        """Called in the thread of the request."""
        ended.ended_at = time.time()
        self._ended.append(ended)
        if len(self._ended) >= self._gathered:
            with self._lock:
                self._write_all()

    def write(self) -> None:
        """Write what has gathered, and bring the metrics up to date."""
        with self._lock:
            self._write_all()
            self._registry.metrics.tell()

    def gather(self) -> None:
        """From now on, let requests gather; `write` must be called at the end."""
        self._gathered = GATHERED
        threading.Thread(target=self._keep_writing, daemon=True).start()

    def _keep_writing(self) -> NoReturn:
        while True:
            time.sleep(PAUSE)
            self.write()

    def _write_all(self) -> None:
        while self._ended:
            self._write([self._ended.popleft() for _ in range(min(LINES, len(self._ended)))])

    def _write(self, ended: list[Trace]) -> None:
        lines: dict[int, list[Past]] = {logging.INFO: [], logging.WARNING: []}
        for noted in ended:
            method = noted.method if noted.method in METHODS else OTHER
            route = plain(noted.route) if noted.route is not None else NO_ROUTE
            received = length(noted.received)
            self._registry.metrics.count(noted, method, route, received)
            level = logging.INFO if noted.status < 500 else logging.WARNING
            if log.isEnabledFor(level):
                event = line(noted, method, route, received)
                lines[level].append(Past(noted.ended_at, noted.request_id, event))
        for level, report in lines.items():
            if report:
                # As log.log does, but for finding out which line of ours has called it.
                log.handle(log.makeRecord(log.name, level, "", 0, Report(report), (), None))


def line(noted: Trace, method: str, route: str, received: int) -> Event:
    """The line of a request. It holds ids, sizes and times: no path, no header, no body."""
    return Event(
        "request",
        method=method,
        route=route,
        # Our routes let only digits be ids.
        **{
            name: text
            for name, text in noted.ids.items()
            if name.endswith("_id") and isinstance(text, str) and text.isdecimal()
        },
        status=noted.status,
        ms=round(noted.seconds * 1000, 3),
        address=noted.address,
        caller=noted.caller,
        received=received,
        sent=noted.sent,
        database_ms=round(noted.database_seconds * 1000, 3),
        statements=noted.statements,
        attempts=noted.attempts,
    )


@cache
def plain(pattern: str) -> str:
    """A route's pattern without its regular expressions: ``/user/{user_id:[0-9]+}``."""
    return re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", pattern)


def length(header: str | None) -> int:
    """The bytes of a request's body."""
    return int(header[:MANY_DIGITS]) if header and header.isdecimal() else 0
