"""Cross-origin requests of browsers, and ``OPTIONS`` for everyone.

One place for all paths, so that errors and unknown paths carry the headers
too, without which a page cannot read why it failed (Fetch standard, 3.2).
Tokens travel in a header and never in a cookie: no credentials mode is needed.
"""

from collections.abc import Callable
from typing import Any

from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request
from pyramid.response import Response

from ..resources import allowed_methods

REQUEST_HEADERS = (
    "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Request-ID"
)
EXPOSED_HEADERS = (
    "Accept-Ranges, Content-Range, ETag, Link, Location, Retry-After, WWW-Authenticate, "
    "X-Request-ID"
)
# Seconds for which a browser may keep the answer to a preflight; most cap it at two hours.
MAX_AGE = "7200"


def tween_factory(
    handler: Callable[[Request], Response], registry: Any
) -> Callable[[Request], Response]:
    """Answer OPTIONS; tell browsers which origins may read the response."""
    origins: frozenset[str] = registry.ar_settings.cors_origins
    mapper = registry.getUtility(IRoutesMapper)

    def tween(request: Request) -> Response:
        response = options(request, mapper, registry) if request.method == "OPTIONS" else None
        if response is None:
            response = handler(request)
        allow(request, response, origins)
        return response

    return tween


def options(request: Request, mapper: Any, registry: Any) -> Response | None:
    """204 with the methods of the path; None where there is no such path."""
    try:
        route = mapper(request)["route"]
    except UnicodeDecodeError:
        return None
    service = registry.cornice_services.get(route.pattern) if route else None
    if service is None:
        return None
    return Response(status=204, headers={"Allow": ", ".join(allowed_methods(service))})


def allow(request: Request, response: Response, origins: frozenset[str]) -> None:
    """Add the CORS headers for an origin that the settings allow."""
    if not origins:
        return
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
