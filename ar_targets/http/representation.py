"""Responses about a single resource (read, created, changed, deleted), and the JSON renderer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import orjson
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound, HTTPServiceUnavailable, HTTPUnauthorized
from pyramid.request import Request
from pyramid.response import Response
from pyramid_retry import mark_error_retryable

from ..clock import rfc3339
from ..errors import RETRY_AFTER, FieldError, problem

Json = dict[str, Any]


class Record(Protocol):
    """What every record has."""

    @property
    def id(self) -> int:
        """Its primary key."""

    @property
    def etag(self) -> str:
        """Its strong entity tag, without quotes."""


def tag_response(response: Response, etag: str) -> None:
    """Set the ETag, and let clients cache the response but revalidate it each time.

    Never ``max-age``: access ends as soon as a token is revoked.
    """
    response.headerlist += (("ETag", f'"{etag}"'), ("Cache-Control", "private, no-cache"))


def shown(request: Request, record: Record, representation: Json) -> Json:
    """200, with the record's entity tag."""
    tag_response(request.response, record.etag)
    return representation


def created(request: Request, record: Record, representation: Json) -> Json:
    """201; ``Location`` is the id below the collection that was posted to."""
    request.response.status_int = 201
    request.response.location = f"{request.path_url}/{record.id}"
    return shown(request, record, representation)


def deletion(deleted_at: datetime | None) -> Json:
    """The field that a deleted row has in a list; nothing for a live one."""
    return {} if deleted_at is None else {"deleted_at": rfc3339(deleted_at)}


def no_content() -> Response:
    """204."""
    return Response(status=204)


def found(record: Any) -> Any:
    """The record; raises 404 for None, where it was deleted since the request began."""
    if record is None:
        raise HTTPNotFound
    return record


def unreplaced(image: bytes | None) -> bytes:
    """The image of a target; None is one that was replaced or deleted since its record was read.

    Then pyramid_retry runs the request again, which finds the new image, or none: 404. Raises 503
    where it was replaced each time.
    """
    if image is None:
        again = FieldError("", "", f"the image is being replaced; try again in {RETRY_AFTER} s")
        replaced = problem(HTTPServiceUnavailable, again, headers={"Retry-After": str(RETRY_AFTER)})
        mark_error_retryable(replaced)
        raise replaced
    return image


def of_caller(record: Any) -> Any:
    """The record; raises 401 for None, where the caller was deleted since the request began."""
    if record is None:
        raise HTTPUnauthorized
    return record


def renderer_factory(info: Any) -> Callable[[Any, Any], bytes]:
    """The factory of the ``json`` renderer, which uses orjson."""

    def render(value: Any, _system: Any) -> bytes:
        return orjson.dumps(value)

    return render


def json_response(_request: Request) -> Response:
    """The response factory: ``request.response`` is JSON by default."""
    return Response(content_type="application/json", charset=None)


def includeme(config: Configurator) -> None:
    """Replace Pyramid's own ``json`` renderer."""
    config.add_renderer("json", renderer_factory)
    config.set_response_factory(json_response)
