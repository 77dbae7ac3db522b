"""The API's description, ``/api/openapi.json``.

`description.yaml` is written by hand. At the start the limits that settings
decide are filled in (`filling`), and what all paths have alike is added
(`everywhere`). A test holds the result against services, schemas and records.
"""

from pyramid.config import Configurator

from .description import Description


def includeme(config: Configurator) -> None:
    """Set ``registry.description``."""
    config.registry.description = Description(config.registry.ar_settings)
