"""What is noted of a request while it is at work: its id, its caller, its time in the database.

`execution_policy` makes one for each request, and `access_log` a line and metrics of
it at the end. In between, whoever knows something notes it in `current`.
"""

import logging
import math
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

log = logging.getLogger(__name__)

# What may stand in a log line as it is: no spaces, no line breaks, not too long.
SANE = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}", re.ASCII)


class Event:
    """What happened, and its particulars, which JSON keeps apart.

    ``log.info(Event("sent", bytes=7))``. To other formatters it is a text.
    """

    __slots__ = ("fields", "message")

    def __init__(self, message: str, **fields: object) -> None:
        self.message, self.fields = message, fields

    def __str__(self) -> str:
        shown = [f"{name}={value}" for name, value in self.fields.items() if value is not None]
        return " ".join([self.message, *shown])


class RequestContext:
    """One request's notes. A request that is retried goes on with the same."""

    # As the client sent them.
    method = ""
    received: str | None = None
    address: str | None = None
    # The pattern of the route that the path has matched, and what matched its names.
    route: str | None = None
    ids: Mapping[str, object] = MappingProxyType({})
    # Ids of who has shown a good token.
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

    def waited(self, seconds: float) -> None:
        """Note time that went by for the database, but for no statement of ours."""
        self.database_seconds += seconds

    def asked(self, statement: object, seconds: float, *, counts: bool = True) -> None:
        """Note a statement that was executed, or failed; log a slow one, without its values."""
        self.database_seconds += seconds
        self.statements += counts
        if seconds >= self.slow_seconds:
            self.slow_statements += 1
            milliseconds = round(seconds * 1000, 3)
            log.warning(Event("slow statement", ms=milliseconds, statement=str(statement)))


# Outside of requests there is one that nobody reads.
current: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext("-"))  # noqa: B039


def choose(sent: str) -> str:
    """The request id that the client sent, if that is sane, or one of ours."""
    return sent if SANE.fullmatch(sent) else secrets.token_hex(8)
