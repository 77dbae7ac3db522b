"""Responses about a single resource: read, created, changed, deleted; and how JSON is written."""

from collections.abc import Callable
from typing import Any, Protocol

import orjson
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound, HTTPUnauthorized
from pyramid.request import Request
from pyramid.response import Response

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
    """Let clients keep the response, and ask each time whether it is still good.

    Never ``max-age``: what a revoked token opened yesterday is shut today.
    """
    response.headerlist += (("ETag", f'"{etag}"'), ("Cache-Control", "private, no-cache"))


def shown(request: Request, record: Record, representation: Json) -> Json:
    """200, with the record's tag."""
    tag_response(request.response, record.etag)
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


def renderer_factory(info: Any) -> Callable[[Any, Any], bytes]:
    """A Pyramid renderer."""

    def render(value: Any, _system: Any) -> bytes:
        return orjson.dumps(value)

    return render


def json_response(_request: Request) -> Response:
    """``request.response``, which is JSON from the start."""
    return Response(content_type="application/json", charset=None)


def includeme(config: Configurator) -> None:
    """Replace Pyramid's own ``json`` renderer."""
    config.add_renderer("json", renderer_factory)
    config.set_response_factory(json_response)
