"""The six tweens that process every request and response.

The exception views run inside them, so that errors have the CORS headers too. `execution_policy`
runs around them.
"""

import contextlib
import re
import traceback
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW, INGRESS

from ..errors import REASONS, FieldError, error_response
from ..resources import allowed_methods
from ..telemetry import request_context

Handler = Callable[[Request], Response]

# CORS headers. Tokens are sent in a header and never in a cookie: no credentials mode is needed.
REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Range, "
    "X-Request-ID"
)
EXPOSED_HEADERS = (
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Link, "
    "Location, Retry-After, WWW-Authenticate, X-Request-ID"
)
# Seconds for which a browser may cache a preflight response; most cap it at two hours.
MAX_AGE = "7200"
# Maximum bytes of a request line, as in docs/deploy/nginx.
LINE_MAX = 8 * 1024
# A name or an address, and perhaps a port (RFC 9110, 7.2; RFC 1123, 2.1).
HOST = re.compile(
    r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,9}\.?)(:[0-9]{1,5})?",
    re.ASCII | re.IGNORECASE,
)
BAD_HOST = FieldError("header", "Host", "it must be a name or an address, and perhaps a port")
LONG_LINE = FieldError(
    "path", "", f"the request line must have at most {LINE_MAX} bytes; send fields in the body"
)


def release_factory(handler: Handler, registry: Any) -> Handler:
    """Frees the memory of a request as soon as it is answered.

    A request, its resources and its exception form reference cycles, which the garbage collector
    frees only after some hundred requests. Until then each upload would keep its image, and each
    refused one the text of its body.
    """

    def release(request: Request) -> Response:
        try:
            return handler(request)
        finally:
            # The server has the response; the request need not keep it.
            with contextlib.suppress(AttributeError):
                del request.response
            if validated := getattr(request, "validated", None):
                validated.clear()
            error = request.exception
            while error is not None:
                # pyramid_retry checks the exception, but not its frames.
                traceback.clear_frames(error.__traceback__)
                error = error.__cause__ or error.__context__

    return release


def matched_route_factory(handler: Handler, registry: Any) -> Handler:
    """Records the matched route in the request context, for the access log and the metrics."""

    def matched_route(request: Request) -> Response:
        response = handler(request)
        noted = request_context.current.get()
        noted.attempts += 1
        if request.matched_route is not None:
            noted.route, noted.ids = request.matched_route.pattern, request.matchdict
        return response

    return matched_route


def cors_factory(handler: Handler, registry: Any) -> Handler:
    """Adds the CORS headers, which tell browsers which origins may read the response.

    Errors and unknown paths have them too: without the headers, a page cannot read why its
    request failed (Fetch standard, 3.2).
    """
    origins: frozenset[str] = registry.ar_settings.cors_origins

    def cors(request: Request) -> Response:
        response = handler(request)
        if origins:
            allow_origin(request, response, origins)
        return response

    return cors


def allow_origin(request: Request, response: Response, origins: frozenset[str]) -> None:
    """Add the CORS headers for an origin that the settings allow."""
    if "*" not in origins:
        response.vary = (*(response.vary or ()), "Origin")
    origin = request.headers.get("Origin")
    if origin is None or not origins & {origin, "*"}:
        return
    response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = MAX_AGE
    else:
        response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS


def trailing_slash_factory(handler: Handler, registry: Any) -> Handler:
    """Removes one trailing slash from the path; a redirect would lose the body of a POST."""

    def trailing_slash(request: Request) -> Response:
        path: str = request.environ["PATH_INFO"]
        if path.startswith(("/api/", "/health/", "/metrics/")) and path.endswith("/"):
            path = request.environ["PATH_INFO"] = path[:-1]
        if path.endswith("\n"):
            # Python's "$", with which routes end, matches before a line break too.
            return error_response(404, [REASONS[404]])
        return handler(request)

    return trailing_slash


def options_factory(handler: Handler, registry: Any) -> Handler:
    """Answers OPTIONS with the path's methods, unauthenticated: preflights send no token.

    Unknown paths are passed on, and get 404.
    """
    mapper = registry.getUtility(IRoutesMapper)

    def options(request: Request) -> Response:
        service = service_at(request) if request.method == "OPTIONS" else None
        if service is None:
            return handler(request)
        return Response(status=204, headers={"Allow": ", ".join(allowed_methods(service))})

    def service_at(request: Request) -> Any:
        try:
            route = mapper(request)["route"]
        except UnicodeDecodeError:
            return None
        # As the router does, which does not see this request.
        request.matched_route, request.matchdict = route, {}
        return registry.cornice_services.get(route.pattern) if route else None

    return options


def request_head_factory(handler: Handler, registry: Any) -> Handler:
    """Refuses what the proxy in front refuses, too, for servers without one.

    A request line of more than `LINE_MAX` bytes (414), and a ``Host`` that is no name or address
    (400), from which no URL can be made.
    """

    def request_head(request: Request) -> Response:
        environ = request.environ
        target = len(environ["PATH_INFO"]) + len(environ["QUERY_STRING"])
        if target + len("?") + len(f"{request.method}  HTTP/1.1\r\n") > LINE_MAX:
            return error_response(414, [LONG_LINE])
        if not HOST.fullmatch(environ.get("HTTP_HOST") or "-"):
            return error_response(400, [BAD_HOST])
        return handler(request)

    return request_head


# From the outermost to the innermost.
ORDER = ("release", "matched_route", "cors", "trailing_slash", "options", "request_head")


def includeme(config: Configurator) -> None:
    """Add the tweens in order, all of them outside the exception views."""
    outer = INGRESS
    for name in ORDER:
        tween = f"{__name__}.{name}_factory"
        config.add_tween(tween, under=outer, over=EXCVIEW)
        outer = tween
