"""Cross-origin requests of browsers.

One place for all paths, so that errors and unknown paths carry the headers
too, without which a page cannot read why it failed (Fetch standard, 3.2).
Tokens travel in a header and never in a cookie: no credentials mode is needed.
"""

from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

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
    """Tell browsers which origins may read the response."""
    origins: frozenset[str] = registry.ar_settings.cors_origins

    def tween(request: Request) -> Response:
        response = handler(request)
        if origins:
            allow(request, response, origins)
        return response

    return tween


def allow(request: Request, response: Response, origins: frozenset[str]) -> None:
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
