"""The execution policy, the outermost layer: request id, request context, access log, metrics.

It wraps pyramid_retry's policy: a request that is retried after a deadlock is one request, with
one id and one log line.
"""

import time
from typing import Any

from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.router import Router
from pyramid_retry import RetryableExecutionPolicy

from ..db.retry import ATTEMPTS
from ..telemetry import access_log, request_context
from ..telemetry.request_context import RequestContext
from .large_body import Environ, Policy, limited, read_body

HEADER = "X-Request-ID"
# Security headers: browsers must not guess the content type, run or frame a response, send its
# address as Referer, or let other sites' pages embed it (CORS is separate). HTML pages set all
# but the first themselves.
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
SAFE_FOR_PAGES = ("X-Content-Type-Options",)


def mark(response: Response, request_id: str) -> None:
    """Add the request id and the security headers, which every response has."""
    headers = response.headerlist
    there = {name.title(): value for name, value in headers}
    is_page = there.get("Content-Type", "").startswith("text/html")
    headers.append((HEADER, request_id))
    for name in SAFE_FOR_PAGES if is_page else SAFE:
        if name not in there:
            headers.append((name, SAFE[name]))


def observed(policy: Policy, registry: Any) -> Policy:
    """Wrap a policy with a `RequestContext` per request, its access log line and its metrics."""
    slow_seconds = registry.ar_settings.slow_query_ms / 1000

    def run(environ: Environ, router: Router) -> Response:
        noted = RequestContext(
            request_context.choose(environ.get("HTTP_X_REQUEST_ID", "")), slow_seconds
        )
        noted.begun = time.perf_counter()
        noted.method = environ["REQUEST_METHOD"]
        noted.received = environ.get("CONTENT_LENGTH")
        noted.address = environ.get("REMOTE_ADDR")
        in_flight = registry.metrics.in_flight
        in_flight.inc()
        token = request_context.current.set(noted)
        try:
            response = policy(environ, router)
            mark(response, noted.request_id)
            finish(noted, response)
        finally:
            noted.seconds = noted.age()
            in_flight.dec()
            access_log.write(registry, noted)
            if registry.request_counter is not None:
                registry.request_counter.note(noted)
            request_context.current.reset(token)
        return response

    return run


def finish(noted: RequestContext, response: Response) -> None:
    """Record the status and size of the response."""
    noted.status = response.status_int
    if noted.method != "HEAD" and noted.status not in (204, 304):
        noted.sent = response.content_length or 0


def includeme(config: Configurator) -> None:
    """Install the policy."""
    retrying = RetryableExecutionPolicy(ATTEMPTS, activate_hook=read_body)
    config.set_execution_policy(observed(limited(retrying), config.registry))
