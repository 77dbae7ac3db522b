"""Where Pyramid hands a request over to Flask, and what comes back as an exception.

Exceptions pass through Flask: pyramid_tm has to abort, and pyramid_retry to
run a deadlock's victim again. What is left in the end is put into the panel's
own page here, in the words that the API has for it.
"""

import threading
from typing import Any

import orjson
from pyramid.request import Request
from pyramid.response import Response

from .. import errors


class Panel:
    """The Flask application, made when it is first asked for."""

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
    """The view of all paths of the panel."""
    from .context import REQUEST  # noqa: PLC0415  # with Flask

    request.environ[REQUEST] = request
    return request.get_response(request.registry.admin_panel.application)


def explain(error: Exception, request: Request) -> Response:
    """The panel's page about an error, or, for a script of the panel, the API's JSON."""
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
