"""What is raised becomes ``{"error": "…"}`` with the status that says who is at fault.

422: the picture. 503 with ``Retry-After``: there is too much to do, or the database is away.
"""

import logging

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..db.engine import is_unavailability
from ..vision.picture import PictureError
from ..vision.pool import PoolError
from .in_flight import BusyError
from .indexes import IndexBusyError

log = logging.getLogger(__name__)

# Seconds.
RETRY_AFTER = 2
# Of Pyramid's exceptions.
KEPT_HEADERS = ("WWW-Authenticate",)


def picture_at_fault(error: PictureError, request: Request) -> Response:
    """It would be the same the next time."""
    return _answer(422, str(error))


def busy(error: Exception, request: Request) -> Response:
    """Another time it may work."""
    return _answer(503, str(error), **{"Retry-After": str(RETRY_AFTER)})


def database_error(error: DBAPIError, request: Request) -> Response:
    """503 where the database cannot be reached."""
    if is_unavailability(error):
        log.warning("the database is unavailable: %s", error.orig)
        return _answer(503, "the database is unavailable", **{"Retry-After": str(RETRY_AFTER)})
    return bug(error, request)


def http_error(error: HTTPException, request: Request) -> Response:
    """Pyramid's own, and those of views."""
    kept = {name: text for name, text in error.headers.items() if name in KEPT_HEADERS}
    return _answer(error.code, error.detail or error.title, **kept)


def bug(error: Exception, request: Request) -> Response:
    """A traceback in the log."""
    log.error("unexpected error", exc_info=error)
    return _answer(500, "unexpected error")


def _answer(status: int, reason: str, **headers: str) -> Response:
    response = Response(status=status, json_body={"error": reason})
    response.headers.update(headers)
    return response


def includeme(config: Configurator) -> None:
    """Register the exception views."""
    config.add_exception_view(picture_at_fault, PictureError)
    for raised in (BusyError, IndexBusyError, PoolError, PoolTimeout):
        config.add_exception_view(busy, raised)
    config.add_exception_view(database_error, DBAPIError)
    config.add_exception_view(bug, Exception)
    config.add_exception_view(http_error, HTTPException)
    config.add_notfound_view(http_error)
