"""The request context: id, caller, time in the database, collected while a request runs.

`execution_policy` creates one for each request, and `access_log` makes a log line and metrics
from it at the end. In between, other modules add to the `current` one.
"""

import logging
import math
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from time import perf_counter
from types import MappingProxyType

log = logging.getLogger(__name__)

# A request id that can be logged as it is: no spaces, no line breaks, not too long.
SANE = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}", re.ASCII)


class Event:
    """A log message with structured fields, which `JsonFormatter` writes separately.

    ``log.info(Event("sent", bytes=7))``. For other formatters it is a text.
    """

    __slots__ = ("fields", "message")

    def __init__(self, message: str, **fields: object) -> None:
        self.message, self.fields = message, fields

    def __str__(self) -> str:
        shown = [f"{name}={value}" for name, value in self.fields.items() if value is not None]
        return " ".join([self.message, *shown])


class RequestContext:
    """Data about one request; all its attempts share one."""

    # When it began, on the clock of `perf_counter`.
    begun = math.inf
    # As the client sent them.
    method = ""
    received: str | None = None
    address: str | None = None
    # The pattern of the route that the path has matched, and what matched its names.
    route: str | None = None
    ids: Mapping[str, object] = MappingProxyType({})
    # The userid of the identity, if the token is valid.
    caller: str | None = None
    upload_bytes: int | None = None
    attempts = 0
    statements = 0
    slow_statements = 0
    database_seconds = 0.0
    # A request without a response is a 500.
    status = 500
    sent = 0
    seconds = 0.0
    ended_at = 0.0

    def __init__(self, request_id: str, slow_seconds: float = math.inf) -> None:
        self.request_id, self.slow_seconds = request_id, slow_seconds

    def age(self) -> float:
        """Seconds since the request began; below 0 outside of requests."""
        return perf_counter() - self.begun

    def waited(self, seconds: float) -> None:
        """Add time spent on the database outside statements: waiting for a connection."""
        self.database_seconds += seconds

    def asked(self, statement: object, seconds: float, *, counts: bool = True) -> None:
        """Record an executed or failed statement; log a slow one, without its parameters."""
        self.database_seconds += seconds
        self.statements += counts
        if seconds >= self.slow_seconds:
            self.slow_statements += 1
            milliseconds = round(seconds * 1000, 3)
            log.warning(Event("slow statement", ms=milliseconds, statement=str(statement)))


# The default, outside of requests, only provides the request id "-".
current: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext("-"))  # noqa: B039


def choose(sent: str) -> str:
    """The request id that the client sent, if it is well-formed, or a new one."""
    return sent if SANE.fullmatch(sent) else secrets.token_hex(8)
