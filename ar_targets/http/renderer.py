"""The ``json`` renderer: orjson, which writes bytes."""

from collections.abc import Callable
from typing import Any

import orjson
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response


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
