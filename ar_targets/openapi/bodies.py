"""JSON schemas of request bodies, derived from the schemas in `ar_targets.schemas`.

`description.yaml` adds examples, the purpose of fields, and limits from settings; where
both define something, `description.yaml` takes precedence.
"""

import importlib
import pkgutil
from typing import Any

from .. import schemas
from ..schemas.body import Body

Json = dict[str, Any]


def all_bodies() -> dict[str, Body]:
    """Each schema by the name of its component: ``UserBody``, and ``UserPatch`` for PATCH."""
    for module in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}."):
        importlib.import_module(module.name)
    found = {}
    for body in Body.__subclasses__():
        found[body.__name__] = body()
        found[f"{body.__name__.removesuffix('Body')}Patch"] = body.for_patch()
    return found


def complete_bodies(components: Json) -> None:
    """Add what the schemas define to the components of request bodies, in place."""
    for name, body in all_bodies().items():
        if name in components:
            derived, written = body.json_schema(), components[name]
            fields = written.pop("properties", {})
            derived["properties"] = {
                field: limits | fields.get(field, {})
                for field, limits in derived["properties"].items()
            }
            components[name] = derived | written
