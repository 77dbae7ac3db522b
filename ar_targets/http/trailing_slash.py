"""Each path of the API answers the same with and without a slash at its end."""

from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..errors import REASONS, error_response


def tween_factory(
    handler: Callable[[Request], Response], registry: Any
) -> Callable[[Request], Response]:
    """Take one slash off, without a redirect: those lose the body of a POST."""

    def tween(request: Request) -> Response:
        path: str = request.environ["PATH_INFO"]
        if path.startswith(("/api/", "/health/", "/metrics/")) and path.endswith("/"):
            path = request.environ["PATH_INFO"] = path[:-1]
        if path.endswith("\n"):
            # Python's "$", with which routes end, matches before a line break too.
            return error_response(404, [REASONS[404]])
        return handler(request)

    return tween
