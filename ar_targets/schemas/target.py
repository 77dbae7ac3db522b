"""The body of an image target."""

from collections.abc import Mapping
from typing import Any, ClassVar

import colander

from ..models.analysis import RATING_MAX, STATUSES
from ..models.target import (
    DEFAULTS,
    DESCRIPTION_MAX_BYTES,
    METADATA_MAX_BYTES,
    NAME_MAX,
    PHYSICAL_WIDTH_MAX,
)
from .body import (
    AtMost,
    Between,
    Body,
    Boolean,
    Field,
    Integer,
    JsonSchema,
    Length,
    MaxBytes,
    Number,
    OneOf,
    Text,
    TrimmedLength,
    trim,
)
from .json_text import JsonText
from .query import Matches, Query, Words

SHA256, SHA256_TOLD = r"[0-9a-f]{64}", "64 digits of a SHA-256, in lower-case hexadecimal"


class Base64Text(Text):
    """A string, or a memoryview of it in the body: see `ar_targets.images.base64_jpeg`."""

    # Its limits depend on a setting and the decoder; the API's description has them as text.
    json_schema: ClassVar[JsonSchema] = {"type": "string"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The string or the memoryview itself; raises colander.Invalid."""
        return cstruct if isinstance(cstruct, memoryview) else super().deserialize(node, cstruct)


class TargetBody(Body):
    """``image`` in base64, which `ar_targets.images.base64_jpeg` reads, and what it is to AR."""

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
            "deleted_at",
        }
    )

    image = Field(Base64Text())
    name = Field(
        Text(),
        nullable=True,
        preparer=trim,
        validator=TrimmedLength(1, NAME_MAX),
        missing=DEFAULTS["name"],
    )
    description = Field(
        Text(), validator=MaxBytes(DESCRIPTION_MAX_BYTES), missing=DEFAULTS["description"]
    )
    physical_width = Field(
        Number(),
        nullable=True,
        validator=AtMost(PHYSICAL_WIDTH_MAX),
        missing=DEFAULTS["physical_width"],
    )
    active = Field(Boolean(), missing=DEFAULTS["active"])
    metadata = Field(
        JsonText(MaxBytes(METADATA_MAX_BYTES)),
        nullable=True,
        missing=DEFAULTS["metadata"],
    )


class NewTargetBody(TargetBody):
    """As `TargetBody`; beside a body that is a JPEG, its query may have these."""

    in_query = frozenset({"allow_similar"})


class ImageBody(Body):
    """``image`` alone."""

    image = Field(Base64Text())


class TargetQuery(Query):
    """The filters of a list of targets, and ``fields`` that it shows beside the usual ones."""

    name = Field(Text(), preparer=trim, validator=TrimmedLength(1, NAME_MAX), missing=colander.drop)
    name_prefix = Field(Text(), validator=Length(0, NAME_MAX), missing=colander.drop)
    active = Field(Boolean(), missing=colander.drop)
    sha256 = Field(Text(), validator=Matches(SHA256, SHA256_TOLD), missing=colander.drop)
    analysis = Field(Text(), validator=OneOf(*STATUSES), missing=colander.drop)
    rating_min = Field(Integer(), validator=Between(0, RATING_MAX), missing=colander.drop)
    deleted = Field(Boolean(), missing=False)
    fields = Field(Words("analysis", "metadata"), missing=frozenset())

    def load_texts(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """As `Body.load_texts`; a list has one order."""
        fields, wrong = super().load_texts(data)
        if {"name_prefix", "rating_min"} <= fields.keys():
            wrong["rating_min"] = (
                "it orders by rating, and 'name_prefix' by name: leave one of them out"
            )
        return fields, wrong


class NewTargetQuery(Query):
    """``allow_similar``: whether a picture is stored that resembles one of the project's."""

    allow_similar = Field(Boolean(), missing=True)
