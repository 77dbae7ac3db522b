"""Request bodies: read into memory before the application runs, few large ones at a time.

Part of the execution policy (`execution_policy`). A retry reads the body again, so the whole body
must be in memory. Behind a proxy that buffers requests it arrives at once.
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

# Size in bytes from which a body counts as large: mostly images.
LARGE = 256 * 1024
# Large bodies that a process has in memory at once. Of the largest image each takes its base64
# text (13.3 MiB), the image (10 MiB), and briefly the driver's copy.
AT_ONCE = 4
# Seconds to wait for a free slot before 503.
QUEUE_SECONDS = 8


def limited(policy: Policy) -> Policy:
    """Wrap a policy: at most `AT_ONCE` large bodies at once; 503 after `QUEUE_SECONDS`."""
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
    """Whether a request has a large body, or one of unknown size (chunked)."""
    told = environ.get("CONTENT_LENGTH") or ""
    if told.isdecimal():
        return length(told) >= LARGE
    return "HTTP_TRANSFER_ENCODING" in environ


def read_body(request: Request) -> int | None:
    """pyramid_retry's ``activate_hook``: read the body into memory, up to twice the allowed size.

    A larger one is left unread, and the view refuses it; then one attempt is enough.
    """
    settings: Settings = request.registry.ar_settings
    most = 2 * largest_body(settings)
    if (request.content_length or 0) > most:
        return 1
    if request.is_body_readable and not request.is_body_seekable:
        # A chunked body may have any size: one byte more than allowed is read, to detect the
        # excess.
        request.body = request.body_file_raw.read(request.content_length or most + 1)
    return None
