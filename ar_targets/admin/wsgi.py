"""The Pyramid views of the panel: one passes requests to Flask, one handles exceptions.

Exceptions propagate through Flask: pyramid_tm must abort the transaction, and
pyramid_retry must retry it after a deadlock. Those that remain are rendered here
as the panel's error page, with the API's messages.
"""

import threading
from typing import Any

import orjson
from pyramid.request import Request
from pyramid.response import Response

from .. import errors


class Panel:
    """The Flask application, created on first use."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._made: Any = None

    @property
    def application(self) -> Any:
        """The Flask application."""
        if self._made is None:
            with self._lock:
                if self._made is None:
                    from .application import make_application  # noqa: PLC0415

                    self._made = make_application(self._registry.ar_settings)
        return self._made


def answer(request: Request) -> Response:
    """The view of all paths of the panel: calls the Flask application."""
    from .context import REQUEST  # noqa: PLC0415  # imports Flask

    request.environ[REQUEST] = request
    return request.get_response(request.registry.admin_panel.application)


def explain(error: Exception, request: Request) -> Response:
    """The exception view: the panel's error page, or the API's JSON for the panel's scripts."""
    from .authentication import wants_json, write_headers  # noqa: PLC0415
    from .context import REQUEST  # noqa: PLC0415
    from .page import error_page  # noqa: PLC0415

    response = errors.explain(error, request)
    request.environ[REQUEST] = request
    application = request.registry.admin_panel.application
    with application.request_context(request.environ):
        if not wants_json():
            told = orjson.loads(response.body)["errors"]
            response.text = error_page(
                response.status_int, [fault["description"] for fault in told]
            )
            response.content_type = "text/html"
        write_headers(response)
    return response
