"""Conditional requests with strong entity tags: 304 for If-None-Match, 412 for If-Match."""

import re
from typing import Protocol, TypeVar

from pyramid.httpexceptions import HTTPException, HTTPNotFound, HTTPPreconditionFailed
from pyramid.request import Request
from pyramid.response import Response

from ..errors import CHANGED_MEANWHILE, FieldError, problem
from .representation import tag_response

# The entity tags in a header (RFC 9110, 8.8.3).
TAGS = re.compile(r'(W/)?"([^"]*)"')


Result = TypeVar("Result")


class _Tagged(Protocol):
    @property
    def etag(self) -> str: ...

    @property
    def revision(self) -> int: ...


def not_modified(request: Request, etag: str) -> Response | None:
    """A 304 if the request's If-None-Match matches the entity tag (weak comparison), else None."""
    header = request.headers.get("If-None-Match", "").strip()
    if header != "*" and etag not in {tag for _, tag in TAGS.findall(header)}:
        return None
    response = Response(status=304)
    tag_response(response, etag)
    return response


def expected_revision(request: Request, record: _Tagged, etag: str | None = None) -> int | None:
    """The revision that If-Match requires, which the UPDATE checks again; None without If-Match.

    Raises 412 where the record has another entity tag, or the resource where ``etag`` is given.
    Weak tags never match.
    """
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    if (etag or record.etag) not in {tag for weak, tag in TAGS.findall(header) if not weak}:
        raise changed_meanwhile()
    return record.revision


def written(result: Result | None, revision: int | None) -> Result:
    """The result of a change; where no row was changed, raises 412 with If-Match, else 404."""
    if not result:
        raise changed_meanwhile() if revision is not None else HTTPNotFound()
    return result


def changed_meanwhile() -> HTTPException:
    """The 412 for an If-Match that does not match."""
    return problem(
        HTTPPreconditionFailed,
        FieldError("header", "If-Match", CHANGED_MEANWHILE),
    )
