"""The one JSON shape of every error, and the exception views that give it.

``{"status": "error", "errors": [{"location", "name", "description"}, …]}`` is
Cornice's own shape. Views raise 4xx with `problem`; whatever else goes wrong,
a view below turns it into the same shape. None carries a trace, SQL or a
secret: what an operator needs goes to the log, with the request's id.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
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

log = logging.getLogger(__name__)

# Seconds after which a client may try again when the database is away.
RETRY_AFTER = 2
# What is echoed of a client's own words: as much as helps to find them again.
NAME_SHOWN = 100
ERRORS_SHOWN = 100

# What an exception's headers may add to the response.
KEPT_HEADERS = ("Allow", "Retry-After", "Content-Range", "WWW-Authenticate")

# What is said of a row that somebody else has changed first.
CHANGED_MEANWHILE = "it has been changed meanwhile; read it again, then decide"
# What is said of a token that was to be extended, but has been revoked.
REVOKED = "it is revoked for good; create another"

# How a driver's error ends that names the unique index of live rows' labels: of which noun,
# and which column. MySQL puts the table before it, MariaDB does not.
UNIQUE = re.compile(r"uq_(?P<noun>\w+)_live_(?P<label>\w+)_key'$")


class FieldError(NamedTuple):
    """One thing that is wrong, where, and what would be right."""

    location: str
    name: str
    description: str


def problem(
    exception: type[HTTPException], *errors: FieldError, headers: Mapping[str, str] | None = None
) -> HTTPException:
    """An HTTP exception to raise, with its errors."""
    raised = exception(headers=dict(headers or {}))
    raised.errors = errors
    return raised


def error_body(errors: Iterable[FieldError]) -> bytes:
    """The JSON of an error response. Names may be a client's: they are cut and made encodable."""
    shown = [
        {
            "location": error.location,
            "name": error.name[:NAME_SHOWN].encode(errors="replace").decode(),
            "description": error.description.encode(errors="replace").decode(),
        }
        for error in list(errors)[:ERRORS_SHOWN]
    ]
    return orjson.dumps({"status": "error", "errors": shown})


def error_response(
    status: int, errors: Iterable[FieldError], headers: Mapping[str, str] | None = None
) -> Response:
    """A response of the one shape."""
    response = Response(
        body=error_body(errors), status=status, content_type="application/json", charset=None
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


# What a status means to someone who was given no more particular reason.
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
    """Any HTTPException that was raised: its own errors, or what its status means."""
    errors = getattr(error, "errors", None)
    if not errors:
        default = FieldError("", "", error.title)
        errors = [REASONS.get(error.status_int, default)]
    kept = {name: error.headers[name] for name in KEPT_HEADERS if name in error.headers}
    return error_response(error.status_int, errors, kept)


def unauthorized(error: HTTPUnauthorized, request: Request) -> Response:
    """401, with the challenge that RFC 9110 (11.6.1) wants."""
    error.headers["WWW-Authenticate"] = "Bearer"
    return http_exception(error, request)


def undecodable_path(error: URLDecodeError, request: Request) -> Response:
    """A path that is not UTF-8 names nothing."""
    return error_response(404, [REASONS[404]])


def taken_value(error: IntegrityError) -> FieldError | None:
    """The field whose value another row has already; None for any other kind of error."""
    if error_number(error.orig) != DUPLICATE_KEY:
        return None
    index = UNIQUE.search(error_text(error.orig))
    if index is None:
        return None
    noun, label = index["noun"], index["label"]
    taken = f"another {noun} has this {label} (capital or small letters); choose another"
    return FieldError("body", label, taken)


def integrity_error(error: IntegrityError, request: Request) -> Response:
    """409 where a unique index says that a value is taken; the database alone decides that."""
    if taken := taken_value(error):
        return error_response(409, [taken])
    return unexpected(error, request)


def database_error(error: DBAPIError, request: Request) -> Response:
    """503 while the database cannot be reached or cannot answer; else it is a bug of ours."""
    if is_unavailability(error):
        log.error("the database cannot answer: %s", error.orig)
        return unavailable()
    return unexpected(error, request)


def pool_timeout(error: PoolTimeout, request: Request) -> Response:
    """503 while more requests want the database than there are connections."""
    log.error("no database connection came free: %s", error)
    return unavailable()


def too_many_hashes(error: TooManyHashesError, request: Request) -> Response:
    """503 while more passwords are to be hashed than can be."""
    log.warning("more logins at once than passwords can be hashed")
    return unavailable("too many logins at once")


def unavailable(why: str = "the database cannot answer now") -> Response:
    """503, with the time after which to try again."""
    reason = FieldError("", "", f"{why}; try again in {RETRY_AFTER} s")
    return error_response(503, [reason], {"Retry-After": str(RETRY_AFTER)})


def unexpected(error: Exception, request: Request) -> Response:
    """500 for a bug: the log has the trace, the client the id to report it by."""
    log.error("unexpected error", exc_info=error)
    reason = "an unexpected error; report the X-Request-ID of this response to the operator"
    return error_response(500, [FieldError("", "", reason)])


def render_cornice_errors(request: Request) -> Response:
    """Cornice's own error handler: what validators put into ``request.errors``."""
    errors = [FieldError(e["location"], e["name"], e["description"]) for e in request.errors]
    return error_response(request.errors.status, errors)


VIEWS: dict[type[BaseException], Callable[[Any, Request], Response]] = {
    Exception: unexpected,
    HTTPException: http_exception,
    HTTPUnauthorized: unauthorized,
    URLDecodeError: undecodable_path,
    IntegrityError: integrity_error,
    DBAPIError: database_error,
    PoolTimeout: pool_timeout,
    TooManyHashesError: too_many_hashes,
}


def explain(error: Exception, request: Request) -> Response:
    """What the view for the nearest class answers."""
    return next(VIEWS[kind] for kind in type(error).__mro__ if kind in VIEWS)(error, request)


def includeme(config: Configurator) -> None:
    """Register the exception views. Pyramid picks the one for the nearest class."""
    for context, view in VIEWS.items():
        config.add_exception_view(view, context=context)
    # Those that Pyramid raises: no permission, and no such path or object.
    config.add_forbidden_view(http_exception)
    config.add_notfound_view(http_exception)
