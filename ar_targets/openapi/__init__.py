"""The OpenAPI description, ``/api/openapi.json``, and the page that shows it, ``/api/docs``.

`description.yaml` is written by hand. At startup, limits from the settings are
filled in (`placeholders`), and the parts that all paths have in common are added
(`shared`). A test compares the result with services, schemas and records.
"""

from pyramid.config import Configurator

from .description import Description
from .page import load_assets


def includeme(config: Configurator) -> None:
    """Set ``registry.description`` and ``registry.docs_assets``."""
    config.registry.description = Description(config.registry.ar_settings)
    config.registry.docs_assets = load_assets()
