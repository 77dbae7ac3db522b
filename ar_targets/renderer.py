"""The ``json`` renderer: orjson, which writes bytes."""

from collections.abc import Callable
from typing import Any

import orjson
from pyramid.config import Configurator


def renderer_factory(info: Any) -> Callable[[Any, Any], bytes]:
    """A Pyramid renderer."""

    def render(value: Any, system: Any) -> bytes:
        response = system["request"].response
        response.content_type = "application/json"
        response.charset = None
        return orjson.dumps(value)

    return render


def includeme(config: Configurator) -> None:
    """Replace Pyramid's own ``json`` renderer."""
    config.add_renderer("json", renderer_factory)
