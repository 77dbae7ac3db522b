"""What has happened: of each request that has ended, one log line and its metrics."""

import logging
import re
from functools import cache
from typing import Any

from .request_context import Event, RequestContext

# The ini files set the level of this one apart.
log = logging.getLogger("ar_targets.access")

# Labels of metrics, and words of log lines, that stand for whatever a client may invent.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER, NO_ROUTE = "other", "none"
# Digits enough for any length; Python refuses to read thousands of them.
MANY_DIGITS = 18


def write(registry: Any, noted: RequestContext) -> None:
    """Write the line and count the metrics, in the thread of the request."""
    method = noted.method if noted.method in METHODS else OTHER
    route = plain(noted.route) if noted.route is not None else NO_ROUTE
    received = length(noted.received)
    registry.metrics.count(noted, method, route, received)
    level = logging.INFO if noted.status < 500 else logging.WARNING
    if log.isEnabledFor(level):
        log.log(level, line(noted, method, route, received))


def line(noted: RequestContext, method: str, route: str, received: int) -> Event:
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
