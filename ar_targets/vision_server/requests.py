"""A tween around all else: each request's id, log line and metrics."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..telemetry import access_log, request_context
from ..telemetry.request_context import RequestContext
from .metrics import Metrics

Handler = Callable[[Request], Response]


def observed(handler: Handler, registry: Any) -> Handler:
    """The tween factory."""
    metrics: Metrics = registry.metrics
    slow_seconds = registry.ar_settings.slow_query_ms / 1000

    def observe(request: Request) -> Response:
        chosen = request_context.choose(request.headers.get("X-Request-ID", ""))
        noted = RequestContext(chosen, slow_seconds)
        noted.begun, noted.address = perf_counter(), request.remote_addr
        token = request_context.current.set(noted)
        try:
            response = handler(request)
            noted.seconds = perf_counter() - noted.begun
            noted.status, noted.sent = response.status_int, response.content_length or 0
            matched = request.matched_route
            noted.ids = request.matchdict or {}
            route = access_log.plain(matched.pattern) if matched else access_log.NO_ROUTE
            method = request.method if request.method in access_log.METHODS else access_log.OTHER
            metrics.requests.labels(route, noted.status).observe(noted.seconds)
            access_log.log.info(access_log.line(noted, method, route, request.content_length or 0))
            response.headers["X-Request-ID"] = chosen
            return response
        finally:
            request_context.current.reset(token)

    return observe
