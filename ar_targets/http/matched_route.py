"""Notes which route a request has matched, for its log line and its metrics."""

from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..telemetry import request_context


def tween_factory(
    handler: Callable[[Request], Response], registry: Any
) -> Callable[[Request], Response]:
    """Note it when the request is answered, by whomever."""

    def tween(request: Request) -> Response:
        response = handler(request)
        noted = request_context.current.get()
        noted.attempts += 1
        if request.matched_route is not None:
            noted.route, noted.ids = request.matched_route.pattern, request.matchdict
        return response

    return tween
