"""The base of all schemas of query strings, and types for their parameters."""

import re
from typing import Any, ClassVar

import colander

from .body import Body, JsonSchema, Text


class Query(Body):
    """The parameters of a query string; others are ignored."""

    read_only: ClassVar[frozenset[str]] = frozenset()


class Matches:
    """A validator: a text that matches a regular expression as a whole."""

    def __init__(self, pattern: str, told: str) -> None:
        self.pattern, self.told = re.compile(pattern), told

    def __call__(self, node: colander.SchemaNode, value: str) -> None:
        """Raises colander.Invalid."""
        if not self.pattern.fullmatch(value):
            raise colander.Invalid(node, f"it must be {self.told}")

    @property
    def json_schema(self) -> JsonSchema:
        """The same as JSON Schema, for the API's description."""
        return {"pattern": f"^{self.pattern.pattern}$"}


class Words(Text):
    """A list of words, separated by commas, as a set."""

    def __init__(self, *words: str) -> None:
        self.words = frozenset(words)

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The set; raises colander.Invalid for a word that is not one of them."""
        text = super().deserialize(node, cstruct)
        if text is colander.null:
            return colander.null
        found = {word.strip() for word in text.split(",")} - {""}
        if unknown := found - self.words:
            known = ", ".join(sorted(self.words))
            raise colander.Invalid(
                node, f"there is no {', '.join(map(repr, sorted(unknown)))}; there are: {known}"
            )
        return frozenset(found)
