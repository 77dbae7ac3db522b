"""The body of an image target."""

from typing import Any, ClassVar

import colander

from ..models.target import DESCRIPTION_MAX_BYTES
from .body import Body, Field, Text


class Base64Text(Text):
    """A string, or what is written in its place in the body: see `ar_targets.image`."""

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The string or the bytes themselves, or colander.Invalid."""
        return cstruct if isinstance(cstruct, memoryview) else super().deserialize(node, cstruct)


def fits_column(node: colander.SchemaNode, value: str) -> None:
    """Raises colander.Invalid for a text that takes more bytes than its column has."""
    size = len(value.encode())
    if size > DESCRIPTION_MAX_BYTES:
        raise colander.Invalid(
            node, f"it must have at most {DESCRIPTION_MAX_BYTES} bytes in UTF-8, not {size}"
        )


class TargetBody(Body):
    """``image`` in base64, which `ar_targets.image` reads, and ``description``."""

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
    description = Field(Text(), validator=fits_column, missing="")
