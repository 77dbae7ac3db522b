"""JSON schemas of records, derived from the columns of the mapped classes in `ar_targets.models`.

A component named after a noun lists the columns that clients see, and adds examples, the
purpose of fields and stricter limits; where both define something, the component takes
precedence.
"""

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, String, inspect

from ..db.base import TEXT_MAX_BYTES
from ..http.pagination import LIMIT_MAX
from ..models.noun import Revisioned, nouns

Json = dict[str, Any]


def complete_records(components: Json, moment: Json, following: Json) -> None:
    """Add what the columns define to the components of records, and a page for each noun.

    ``moment`` is the schema of a DATETIME, ``following`` that of a page's ``next``.
    """
    row_id = components["Id"]
    for noun in nouns(Revisioned):
        name, columns = noun.__name__, inspect(noun).columns
        for component in components.values():
            if component is components[name] or component.get("x-noun") == name:
                component.pop("x-noun", None)
                optional = component.pop("x-optional", [])
                fields = {
                    field: (limits(columns[field], row_id, moment) if field in columns else {})
                    | written
                    for field, written in component["properties"].items()
                }
                required = [field for field in fields if field not in optional]
                component |= {"type": "object", "required": required, "properties": fields}
        components[f"{name}Page"] = page(name, following)


def limits(column: Column[Any], row_id: Json, moment: Json) -> Json:
    """The JSON schema of a column; empty for a blob, for which JSON has no type."""
    kind = column.type
    described: Json
    if column.primary_key or column.foreign_keys:
        described = row_id
    elif isinstance(kind, DateTime):
        described = moment
    elif isinstance(kind, Boolean):
        described = {"type": "boolean"}
    elif isinstance(kind, Integer):
        described = {"type": "integer", "format": "int64"}
    elif isinstance(kind, Float):
        described = {"type": "number"}
    elif isinstance(kind, String):
        described = {"type": "string", "maxLength": kind.length or TEXT_MAX_BYTES}
    else:
        return {}
    return described | ({"type": [described["type"], "null"]} if column.nullable else {})


def page(name: str, following: Json) -> Json:
    """The schema of a page of a list."""
    item = {"$ref": f"#/components/schemas/{name}"}
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "maxItems": LIMIT_MAX, "items": item},
            "next": following,
        },
    }
