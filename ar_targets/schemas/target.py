"""The body of an image target."""

from typing import Any, ClassVar

import colander

from ..models.target import DESCRIPTION_MAX_BYTES
from .body import Body, Field, JsonSchema, MaxBytes, Text


class Base64Text(Text):
    """A string, or what is in its place in the body: see `ar_targets.images.base64_jpeg`."""

    # What it may be is a setting's and the decoder's affair, and written in the description.
    json_schema: ClassVar[JsonSchema] = {"type": "string"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The string or the bytes themselves, or colander.Invalid."""
        return cstruct if isinstance(cstruct, memoryview) else super().deserialize(node, cstruct)


class TargetBody(Body):
    """``image`` in base64, which `ar_targets.images.base64_jpeg` reads, and ``description``."""

    read_only: ClassVar[frozenset[str]] = frozenset(
        {
            "id",
            "project_id",
            "width",
            "height",
            "size",
            "sha256",
            "image_url",
            "created_at",
            "updated_at",
        }
    )

    image = Field(Base64Text())
    description = Field(Text(), validator=MaxBytes(DESCRIPTION_MAX_BYTES), missing="")
