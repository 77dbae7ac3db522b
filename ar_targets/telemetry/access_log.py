"""The access log: one log line and the metrics of each finished request."""

import logging
import re
from functools import cache
from typing import Any

from .request_context import Event, RequestContext

# The ini files set the level of this logger separately.
log = logging.getLogger("ar_targets.access")

# Known values in metrics and log lines; `OTHER` and `NO_ROUTE` replace what clients invent.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER, NO_ROUTE = "other", "none"
# Digits that are read of a length; Python refuses to convert thousands of them.
MANY_DIGITS = 18


def write(registry: Any, noted: RequestContext) -> None:
    """Log the request and count its metrics; called in the request's thread."""
    method = noted.method if noted.method in METHODS else OTHER
    route = plain(noted.route) if noted.route is not None else NO_ROUTE
    received = length(noted.received)
    registry.metrics.count(noted, method, route, received)
    level = logging.INFO if noted.status < 500 else logging.WARNING
    if log.isEnabledFor(level):
        log.log(level, line(noted, method, route, received))


def line(noted: RequestContext, method: str, route: str, received: int) -> Event:
    """The log line of a request. It contains ids, sizes and times: no path, no header, no body."""
    return Event(
        "request",
        method=method,
        route=route,
        # In our routes, ids consist of digits.
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
    """The size of a request's body in bytes, from its Content-Length; 0 if unknown."""
    return int(header[:MANY_DIGITS]) if header and header.isdecimal() else 0
