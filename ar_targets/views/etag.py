"""Strong entity tags: 304 for a reader who has it already, 412 for a writer who is late."""

from typing import Protocol

from pyramid.httpexceptions import HTTPException, HTTPNotFound, HTTPPreconditionFailed
from pyramid.request import Request
from pyramid.response import Response

from ..errors import FieldError, problem


class _Tagged(Protocol):
    @property
    def etag(self) -> str: ...

    @property
    def revision(self) -> int: ...


def tag(response: Response, etag: str) -> None:
    """Let clients keep the response, and ask each time whether it is still good.

    Never ``max-age``: what a revoked token opened yesterday is shut today.
    """
    response.etag = etag
    response.headers["Cache-Control"] = "private, no-cache"


def not_modified(request: Request, etag: str) -> Response | None:
    """A 304, if the request's If-None-Match names the tag."""
    if etag not in request.if_none_match:
        return None
    response = Response(status=304)
    tag(response, etag)
    return response


def expected_revision(request: Request, record: _Tagged) -> int | None:
    """The revision that If-Match insists on, for the UPDATE to check once more; None without one.

    Raises 412 where the record is another already.
    """
    if "If-Match" not in request.headers:
        return None
    if record.etag not in request.if_match:
        raise changed_meanwhile()
    return record.revision if request.headers["If-Match"].strip() != "*" else None


def require_written(request: Request, revision: int | None, *, done: bool) -> None:
    """After an UPDATE that found no row: 412 if a revision was insisted on, else 404."""
    if not done:
        raise changed_meanwhile() if revision is not None else HTTPNotFound()


def changed_meanwhile() -> HTTPException:
    """A 412."""
    return problem(
        HTTPPreconditionFailed,
        FieldError(
            "header", "If-Match", "it has been changed meanwhile; read it again, then decide"
        ),
    )
