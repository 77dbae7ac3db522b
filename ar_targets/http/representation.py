"""Responses about a single resource: read, created, changed, deleted."""

from typing import Any, Protocol

from pyramid.httpexceptions import HTTPNotFound, HTTPUnauthorized
from pyramid.request import Request
from pyramid.response import Response

from . import conditional

Json = dict[str, Any]


class Record(Protocol):
    """What every record has."""

    @property
    def id(self) -> int:
        """Its primary key."""

    @property
    def etag(self) -> str:
        """Its strong entity tag, without quotes."""


def shown(request: Request, record: Record, representation: Json) -> Json:
    """200, with the record's tag."""
    conditional.tag_response(request.response, record.etag)
    return representation


def created(request: Request, record: Record, representation: Json) -> Json:
    """201; ``Location`` is the id below the collection that was posted to."""
    request.response.status_int = 201
    request.response.location = f"{request.path_url}/{record.id}"
    return shown(request, record, representation)


def no_content() -> Response:
    """204."""
    return Response(status=204)


def found(record: Any) -> Any:
    """A record that was there a moment ago; raises 404 where it is gone."""
    if record is None:
        raise HTTPNotFound
    return record


def of_caller(record: Any) -> Any:
    """A record that only a deleted caller lacks; raises 401 where the caller is gone by now."""
    if record is None:
        raise HTTPUnauthorized
    return record
