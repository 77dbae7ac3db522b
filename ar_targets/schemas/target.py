"""The body of an image target."""

from typing import ClassVar

import colander

from ..models.target import DESCRIPTION_MAX_BYTES
from .body import Body, Field, Text


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

    image = Field(Text())
    description = Field(Text(), validator=fits_column, missing="")
