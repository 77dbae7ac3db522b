"""A field of any JSON value, kept as its text."""

import re
from typing import Any, ClassVar

import colander
import msgspec

from .body import JsonSchema

# An escaped NUL: the backslash before the "u" is not escaped itself.
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class JsonText(colander.SchemaType):  # type: ignore[misc]
    """Any JSON value, as a msgspec.Raw: its text, which has been parsed, but not decoded.

    The text is what is stored, so that numbers of any length and precision come back.
    """

    json_schema: ClassVar[JsonSchema] = {}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The text; raises colander.Invalid."""
        if cstruct is colander.null:
            return colander.null
        if not isinstance(cstruct, msgspec.Raw):
            raise colander.Invalid(
                node, "it must not have a lone surrogate (it is no character), or nest so deeply"
            )
        raw = bytes(cstruct)
        if NUL.search(raw):
            raise colander.Invalid(node, "it must not have a NUL character")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise colander.Invalid(node, "it must be UTF-8") from None

    def from_text(self, text: str) -> object:
        """As `ar_targets.schemas.body.Text.from_text`: the text is JSON already."""
        try:
            return msgspec.json.decode(text.encode(errors="surrogateescape"), type=msgspec.Raw)
        except (ValueError, RecursionError) as wrong:
            raise colander.Invalid(None, f"it must be JSON: {wrong}") from None
