"""The API's description, ``/api/openapi.json``, and the page that shows it, ``/api/docs``.

`description.yaml` is written by hand. At the start the limits that settings
decide are filled in (`placeholders`), and what all paths have alike is added
(`shared`). A test holds the result against services, schemas and records.
"""

from pyramid.config import Configurator

from .description import Description
from .page import load_assets


def includeme(config: Configurator) -> None:
    """Set ``registry.description`` and ``registry.docs_assets``."""
    config.registry.description = Description(config.registry.ar_settings)
    config.registry.docs_assets = load_assets()
