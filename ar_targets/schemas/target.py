"""The body of an image target."""

from typing import Any, ClassVar

import colander

from ..models.target import DESCRIPTION_MAX_BYTES
from .body import Body, Field, JsonSchema, MaxBytes, Text


class Base64Text(Text):
    """A string, or a memoryview of it in the body: see `ar_targets.images.base64_jpeg`."""

    # Its limits depend on a setting and the decoder; the API's description has them as text.
    json_schema: ClassVar[JsonSchema] = {"type": "string"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The string or the memoryview itself; raises colander.Invalid."""
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
