"""Runs the application on waitress: ``[server:main] use = egg:ar_targets#waitress``.

It is waitress with all its own settings. What it answers by itself (a request
that is no HTTP, a body too large to read) has the error shape of the rest, and
its limit for bodies follows from the application's.
"""

import signal
from typing import Any

import waitress
from pyramid.router import Router
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask
from waitress.utilities import Error

from .errors import FieldError, error_body
from .image import largest_body

# Waitress reads 8 KiB a time by default; an image has a thousand times that.
RECEIVE_BYTES = 256 * 1024


class JsonErrorTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers a request that never reaches the application."""

    def execute(self) -> None:
        """Write the response, in place of waitress's plain text."""
        error: Error = self.request.error
        body = error_body([FieldError("", "", f"{error.reason}: {error.body}")])
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class JsonErrorChannel(HTTPChannel):  # type: ignore[misc]
    """A connection whose errors are JSON."""

    error_task_class = JsonErrorTask


def serve(app: Router, global_conf: dict[str, str], **options: Any) -> int:
    """A PasteDeploy server runner; ``options`` are waitress's. Returns after SIGTERM or SIGINT."""
    # Above our own limit, or waitress would answer 413 where we can say more.
    options.setdefault("max_request_body_size", 2 * largest_body(app.registry.ar_settings))
    options.setdefault("recv_bytes", RECEIVE_BYTES)
    server = waitress.create_server(app, **options)
    # One listening socket is the server itself; several are kept in its map.
    for listener in (server, *(getattr(server, "map", None) or {}).values()):
        if hasattr(listener, "channel_class"):
            listener.channel_class = JsonErrorChannel
    server.print_listen("Serving on http://{}:{}")
    signal.signal(signal.SIGTERM, _leave)
    server.run()
    return 0


def _leave(_signal: int, _frame: object) -> None:
    """Waitress ends its loop, and its threads their requests, as for Ctrl-C."""
    raise SystemExit(0)
