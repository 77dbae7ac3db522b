"""What request bodies may hold, taken from their schemas in `ar_targets.schemas`.

`description.yaml` has what no schema knows: examples, what a field is for, and limits that
are settings. Where both speak, what is written wins.
"""

import importlib
import pkgutil
from typing import Any

from .. import schemas
from ..schemas.body import Body

Json = dict[str, Any]


def all_bodies() -> dict[str, Body]:
    """Each schema by the name of its component: ``UserBody``, and for PATCH ``UserPatch``."""
    for module in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}."):
        importlib.import_module(module.name)
    found = {}
    for body in Body.__subclasses__():
        found[body.__name__] = body()
        found[f"{body.__name__.removesuffix('Body')}Patch"] = body.for_patch()
    return found


def complete_bodies(components: Json) -> None:
    """Add to the components that describe bodies what their schemas say."""
    for name, body in all_bodies().items():
        if name in components:
            derived, written = body.json_schema(), components[name]
            fields = written.pop("properties", {})
            derived["properties"] = {
                field: limits | fields.get(field, {})
                for field, limits in derived["properties"].items()
            }
            components[name] = derived | written
