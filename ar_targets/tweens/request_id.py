"""An id for every request: in its response, and in every log line written meanwhile.

The ini files name `Formatter` for their log lines.
"""

import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

HEADER = "X-Request-ID"
# What may stand in a log line as it is: no spaces, no line breaks, not too long.
SANE = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}", re.ASCII)

# What browsers must not do with what we send: guess at its type, run or frame it,
# tell others its address, or let other sites' pages embed it (CORS is apart from
# that). Pages in HTML say for themselves what they need.
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}

current: ContextVar[str] = ContextVar("request_id", default="-")


class Formatter(logging.Formatter):
    """Knows ``%(request_id)s``: ``-`` outside of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """Called in the thread of the request."""
        record.request_id = current.get()
        return super().format(record)


def choose(sent: str) -> str:
    """The id that the client sent, if that is sane, or one of ours."""
    return sent if SANE.fullmatch(sent) else secrets.token_hex(8)


def mark(response: Response, request_id: str) -> None:
    """Add what every response has, whoever answers."""
    response.headers[HEADER] = request_id
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.content_type != "text/html":
        for name, value in SAFE.items():
            response.headers.setdefault(name, value)


def tween_factory(
    handler: Callable[[Request], Response], registry: Any
) -> Callable[[Request], Response]:
    """Give each request its client's id, if that is sane, or one of ours."""

    def tween(request: Request) -> Response:
        request_id = choose(request.headers.get(HEADER, ""))
        token = current.set(request_id)
        try:
            response = handler(request)
        finally:
            current.reset(token)
        mark(response, request_id)
        return response

    return tween
