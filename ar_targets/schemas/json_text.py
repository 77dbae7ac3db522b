"""A field of any JSON value, kept as its text."""

from typing import Any

import colander
import msgspec

from .body import MaxBytes


class JsonText(colander.SchemaType):  # type: ignore[misc]
    """Any JSON value, as a msgspec.Raw: its text, which has been parsed, but not decoded.

    The text is what is stored, so that numbers of any length and precision come back.
    """

    def __init__(self, limit: MaxBytes) -> None:
        self.limit = limit
        self.json_schema = limit.json_schema

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The text; raises colander.Invalid."""
        if cstruct is colander.null:
            return colander.null
        if not isinstance(cstruct, msgspec.Raw):
            raise colander.Invalid(
                node, "it must not have a lone surrogate (it is no character), or nest so deeply"
            )
        raw = bytes(cstruct)
        # Before anything is made of it, which may take four times the memory.
        self.limit.check(node, len(raw))
        if has_nul(raw):
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


def has_nul(raw: bytes) -> bool:
    """Whether a JSON text has an escaped NUL, whose backslash is not escaped itself."""
    escape = rb"\u0000"
    return escape in raw and escape in raw.replace(rb"\\", b"")
