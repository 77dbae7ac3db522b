"""The complete OpenAPI document for an application's settings, as JSON."""

import functools
import hashlib
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml

from ..settings import Settings
from .bodies import complete_bodies
from .placeholders import fill, values_of
from .records import complete_records
from .shared import complete

# Size of the cache of JSON texts, one per URL prefix; a server usually has one prefix.
PREFIXES_KEPT = 4


class Text(NamedTuple):
    """A JSON text and its entity tag."""

    body: bytes
    etag: str


@functools.cache
def written() -> dict[str, Any]:
    """The parsed `description.yaml`; cached, so it must not be modified."""
    text = Path(__file__).with_name("description.yaml").read_bytes()
    # The C loader takes a tenth of the time; both are safe loaders.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(text, loader)  # noqa: S506
    return document


class Description:
    """The OpenAPI document of one application."""

    def __init__(self, settings: Settings) -> None:
        # A copy: the original is cached, and YAML anchors share objects.
        document = fill(deepcopy(written()), values_of(settings))
        schemas, shared = document["components"]["schemas"], document["x-shared"]
        complete_bodies(schemas)
        complete_records(schemas, shared["moment"], shared["next"])
        self.document: dict[str, Any] = complete(document, settings.cors_origins)
        self._texts: dict[str, Text] = {}

    def text(self, prefix: str) -> Text:
        """The JSON for a server whose URL has the path ``prefix``; empty for the root."""
        if prefix not in self._texts:
            if len(self._texts) >= PREFIXES_KEPT:
                self._texts.clear()
            servers = [server | {"url": prefix or "/"} for server in self.document["servers"]]
            body = orjson.dumps(self.document | {"servers": servers})
            self._texts[prefix] = Text(body, hashlib.sha256(body).hexdigest())
        return self._texts[prefix]
