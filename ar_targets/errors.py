"""The JSON format of all error responses, and the exception views that produce it.

``{"status": "error", "errors": [{"location", "name", "description"}, …]}`` is Cornice's own
format. Views raise 4xx with `problem`; the exception views below turn all other exceptions into
the same format. No response contains a traceback, SQL or a secret: details for an operator go to
the log, with the request id.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPException, HTTPUnauthorized
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from .auth.passwords import TooManyHashesError
from .db.engine import DUPLICATE_KEY, error_number, error_text, is_unavailability
from .images.process import ImageAtFaultError, ImageProcessError
from .models.limit import LimitReachedError
from .vision_client import VisionBusyError, VisionError, VisionPictureError

log = logging.getLogger(__name__)

# ``Retry-After`` in seconds while the database is unavailable.
RETRY_AFTER = 2
# Limits of what an error response repeats of a request: characters of a field name; errors.
NAME_SHOWN = 100
ERRORS_SHOWN = 100

# Headers of an HTTPException that the error response keeps.
KEPT_HEADERS = ("Allow", "Retry-After", "Content-Range", "WWW-Authenticate")

# What most errors have beside them.
NOTHING: Mapping[str, object] = MappingProxyType({})

# Message when another request has changed the row since it was read (lost update).
CHANGED_MEANWHILE = "it has been changed meanwhile; read it again, then decide"
# Message when a token cannot be extended because it is revoked.
REVOKED = "it is revoked for good; create another"

# The end of a driver's duplicate-key message, with the name of the unique index on live rows: its
# noun and column. MySQL puts the table name before it, MariaDB does not.
UNIQUE = re.compile(r"uq_(?P<noun>\w+)_live_(?P<label>\w+)_key'$")


class FieldError(NamedTuple):
    """One error: the location and name of the field, and a description that says what is valid."""

    location: str
    name: str
    description: str


def problem(
    exception: type[HTTPException],
    *errors: FieldError,
    headers: Mapping[str, str] | None = None,
    beside: Mapping[str, object] = NOTHING,
) -> HTTPException:
    """An HTTP exception to raise, with its errors, and what stands ``beside`` them."""
    raised = exception(headers=dict(headers or {}))
    raised.errors, raised.beside = errors, beside
    return raised


def error_body(errors: Iterable[FieldError], beside: Mapping[str, object] = NOTHING) -> bytes:
    """The JSON of an error response.

    Field names may come from the client: they are truncated, and lone surrogates replaced.
    """
    shown = [
        {
            "location": error.location,
            "name": error.name[:NAME_SHOWN].encode(errors="replace").decode(),
            "description": error.description.encode(errors="replace").decode(),
        }
        for error in list(errors)[:ERRORS_SHOWN]
    ]
    return orjson.dumps({"status": "error", "errors": shown, **beside})


def error_response(
    status: int,
    errors: Iterable[FieldError],
    headers: Mapping[str, str] | None = None,
    beside: Mapping[str, object] = NOTHING,
) -> Response:
    """An error response in this format, not cacheable."""
    body = error_body(errors, beside)
    response = Response(body=body, status=status, content_type="application/json", charset=None)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


# Default error of a status, for HTTPExceptions without errors of their own.
REASONS = {
    400: FieldError("", "", "the request cannot be read"),
    401: FieldError(
        "header", "Authorization", "send 'Authorization: Bearer <token>' with a token that is valid"
    ),
    403: FieldError("header", "Authorization", "this token does not allow that"),
    404: FieldError("path", "", "there is nothing at this path"),
    405: FieldError("method", "", "this path does not answer that method; see the Allow header"),
}


def http_exception(error: HTTPException, request: Request) -> Response:
    """Exception view for HTTPExceptions: their own errors, or the default of the status."""
    errors = getattr(error, "errors", None)
    if not errors:
        default = FieldError("", "", error.title)
        errors = [REASONS.get(error.status_int, default)]
    kept = {name: error.headers[name] for name in KEPT_HEADERS if name in error.headers}
    return error_response(error.status_int, errors, kept, getattr(error, "beside", NOTHING))


def unauthorized(error: HTTPUnauthorized, request: Request) -> Response:
    """401, with the challenge that RFC 9110 (11.6.1) requires."""
    error.headers["WWW-Authenticate"] = "Bearer"
    return http_exception(error, request)


def undecodable_path(error: URLDecodeError, request: Request) -> Response:
    """404: a path that is not UTF-8 matches no route."""
    return error_response(404, [REASONS[404]])


def taken_value(error: IntegrityError) -> FieldError | None:
    """The field whose unique value another row already has; None for other integrity errors."""
    if error_number(error.orig) != DUPLICATE_KEY:
        return None
    index = UNIQUE.search(error_text(error.orig))
    if index is None:
        return None
    noun, label = index["noun"], index["label"]
    taken = f"another {noun} has this {label} (capital or small letters); choose another"
    return FieldError("body", label, taken)


def integrity_error(error: IntegrityError, request: Request) -> Response:
    """409 for a duplicate key, which only the unique index detects without a race; else 500."""
    if taken := taken_value(error):
        return error_response(409, [taken])
    return unexpected(error, request)


def limit_reached(error: LimitReachedError, request: Request) -> Response:
    """409 for what there is no room for below a limit."""
    return error_response(409, [FieldError("body", error.name, str(error))])


def database_error(error: DBAPIError, request: Request) -> Response:
    """503 while the database is unavailable; other database errors are bugs (500)."""
    if is_unavailability(error):
        log.error("the database cannot answer: %s", error.orig)
        return unavailable()
    return unexpected(error, request)


def pool_timeout(error: PoolTimeout, request: Request) -> Response:
    """503 when no connection of the pool came free within the timeout."""
    log.error("no database connection came free: %s", error)
    return unavailable()


def too_many_hashes(error: TooManyHashesError, request: Request) -> Response:
    """503 when too many passwords are waiting to be hashed."""
    log.warning("more logins at once than passwords can be hashed")
    return unavailable("too many logins at once")


def picture_at_fault(error: ImageAtFaultError, request: Request) -> Response:
    """404 for a stored picture of which nothing can be drawn."""
    return error_response(404, [FieldError("path", "", f"the picture cannot be drawn: {error}")])


def not_drawn(error: ImageProcessError, request: Request) -> Response:
    """503 where a picture cannot be drawn now."""
    log.info("a picture was not drawn: %s", error)
    return unavailable("the picture cannot be drawn now")


def not_examined(error: VisionPictureError, request: Request) -> Response:
    """400 for a picture that cannot be examined."""
    return error_response(400, [FieldError("body", "image", f"it cannot be examined: {error}")])


def vision_busy(error: VisionBusyError, request: Request) -> Response:
    """503 where more pictures are sent than can be examined at once."""
    return unavailable("more pictures than can be examined at once", error.retry_after)


def vision_away(error: VisionError, request: Request) -> Response:
    """503 where the server that examines pictures cannot answer."""
    log.error("the vision server cannot answer: %s", error)
    return unavailable("pictures cannot be examined now")


def unavailable(
    why: str = "the database cannot answer now", seconds: int = RETRY_AFTER
) -> Response:
    """503, with ``Retry-After``."""
    reason = FieldError("", "", f"{why}; try again in {seconds} s")
    return error_response(503, [reason], {"Retry-After": str(seconds)})


def unexpected(error: Exception, request: Request) -> Response:
    """500 for a bug: the log has the traceback, the client the request id to report."""
    log.error("unexpected error", exc_info=error)
    reason = "an unexpected error; report the X-Request-ID of this response to the operator"
    return error_response(500, [FieldError("", "", reason)])


def render_cornice_errors(request: Request) -> Response:
    """Cornice's error handler: renders what validators put into ``request.errors``."""
    errors = [FieldError(e["location"], e["name"], e["description"]) for e in request.errors]
    return error_response(request.errors.status, errors)


VIEWS: dict[type[BaseException], Callable[[Any, Request], Response]] = {
    Exception: unexpected,
    HTTPException: http_exception,
    HTTPUnauthorized: unauthorized,
    URLDecodeError: undecodable_path,
    IntegrityError: integrity_error,
    DBAPIError: database_error,
    LimitReachedError: limit_reached,
    PoolTimeout: pool_timeout,
    TooManyHashesError: too_many_hashes,
    ImageAtFaultError: picture_at_fault,
    ImageProcessError: not_drawn,
    VisionPictureError: not_examined,
    VisionBusyError: vision_busy,
    VisionError: vision_away,
}


def explain(error: Exception, request: Request) -> Response:
    """The response of the exception view for the nearest class; for the admin panel, a WSGI app."""
    return next(VIEWS[kind] for kind in type(error).__mro__ if kind in VIEWS)(error, request)


def includeme(config: Configurator) -> None:
    """Register the exception views. Pyramid picks the one for the nearest class."""
    for context, view in VIEWS.items():
        config.add_exception_view(view, context=context)
    # Pyramid raises these itself: permission denied, and unknown path or resource.
    config.add_forbidden_view(http_exception)
    config.add_notfound_view(http_exception)
