"""Bodies of requests: read into memory before the application runs, few large ones at a time.

Part of Pyramid's execution policy (`execution_policy`). pyramid_retry reads a body again
when it runs a request again, so it must be there as a whole. Behind a proxy that buffers
requests it comes at once.
"""

import threading
from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router

from ..errors import unavailable
from ..images.base64_jpeg import largest_body
from ..settings import Settings
from ..telemetry.access_log import length

Environ = dict[str, Any]
Policy = Callable[[Environ, Router], Response]

# Bytes from which on a body is large: images, mostly.
LARGE = 256 * 1024
# Large bodies that a process has in memory at once. Of the largest image each takes its
# text (13.3 MiB), the image (10 MiB), and for a moment what the driver makes of it.
AT_ONCE = 4
# Seconds to wait for a turn.
QUEUE_SECONDS = 8


def limited(policy: Policy) -> Policy:
    """The policy, for so many requests with large bodies at once; 503 for who waits too long."""
    slots = threading.BoundedSemaphore(AT_ONCE)

    def run(environ: Environ, router: Router) -> Response:
        if not is_large(environ):
            return policy(environ, router)
        if not slots.acquire(timeout=QUEUE_SECONDS):
            return unavailable("too many large uploads at once")
        try:
            return policy(environ, router)
        finally:
            slots.release()

    return run


def is_large(environ: Environ) -> bool:
    """Whether a request has a large body, or one of a size that it does not tell."""
    told = environ.get("CONTENT_LENGTH") or ""
    if told.isdecimal():
        return length(told) >= LARGE
    return "HTTP_TRANSFER_ENCODING" in environ


def read_body(request: Request) -> int | None:
    """pyramid_retry's ``activate_hook``: have the body in memory, up to twice what is allowed.

    A larger one is left unread, for the view to refuse; then one attempt is enough.
    """
    settings: Settings = request.registry.ar_settings
    most = 2 * largest_body(settings)
    if (request.content_length or 0) > most:
        return 1
    if request.is_body_readable and not request.is_body_seekable:
        # In chunks, there may be any number of bytes: one too many is seen by its length.
        request.body = request.body_file_raw.read(request.content_length or most + 1)
    return None
