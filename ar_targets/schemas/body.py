"""The base of all body schemas, and strict types for their fields.

Colander is lenient by default (5.9 is accepted as 5, "banana" as true, unknown fields are
dropped); these schemas are strict, so that a typo is an error.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

import colander
import msgspec

# A JSON Schema or a part of one, as OpenAPI uses it.
JsonSchema = dict[str, Any]


class Text(colander.SchemaType):  # type: ignore[misc]  # colander has no types
    """A JSON string that every database and client can hold: no NUL, no lone surrogate."""

    json_schema: ClassVar[JsonSchema] = {"type": "string", "pattern": r"^[^\u0000]*$"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The string itself; raises colander.Invalid."""
        if cstruct is colander.null:
            return colander.null
        if not isinstance(cstruct, str):
            raise colander.Invalid(node, f"it must be a string, not {json_type(cstruct)}")
        if "\0" in cstruct:
            raise colander.Invalid(node, "it must not have a NUL character")
        if not cstruct.isascii() and not encodable(cstruct):
            raise colander.Invalid(node, "it must not have a lone surrogate: it is no character")
        return cstruct

    def from_text(self, text: str) -> object:
        """The text of a query parameter or a part of a form, as the JSON value that it means."""
        return text


def encodable(text: str) -> bool:
    """Whether a text has no lone surrogate.

    Encoding takes a hundredth of the time of a loop over as many characters as an image has.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Number(colander.SchemaType):  # type: ignore[misc]
    """A JSON number, as a float."""

    json_schema: ClassVar[JsonSchema] = {"type": "number"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The float; raises colander.Invalid."""
        if cstruct is colander.null:
            return colander.null
        if type(cstruct) not in (int, float):
            raise colander.Invalid(node, f"it must be a number, not {json_type(cstruct)}")
        try:
            return float(cast("float", cstruct))
        except OverflowError:
            # Texts outside JSON: an int of hundreds of digits.
            raise colander.Invalid(node, "it is too large a number") from None

    def from_text(self, text: str) -> object:
        """As `Text.from_text`; a text that is no number stays one."""
        return number_or_text(text)


class Boolean(colander.SchemaType):  # type: ignore[misc]
    """``true`` or ``false``."""

    json_schema: ClassVar[JsonSchema] = {"type": "boolean"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The bool itself; raises colander.Invalid."""
        if cstruct is colander.null or isinstance(cstruct, bool):
            return cstruct
        raise colander.Invalid(node, f"it must be true or false, not {json_type(cstruct)}")

    def from_text(self, text: str) -> object:
        """As `Text.from_text`; any other text stays one."""
        return {"true": True, "false": False}.get(text, text)


class Integer(colander.SchemaType):  # type: ignore[misc]
    """A JSON number without a fraction or exponent."""

    json_schema: ClassVar[JsonSchema] = {"type": "integer", "format": "int64"}

    def deserialize(self, node: colander.SchemaNode, cstruct: object) -> Any:
        """The int itself; raises colander.Invalid, also for ``true``, an int in Python."""
        if cstruct is colander.null:
            return colander.null
        if type(cstruct) is not int:
            # orjson parses integers above 64 bits as floats.
            odd = "one with a fraction, or as large as that"
            kind = odd if isinstance(cstruct, float) else json_type(cstruct)
            raise colander.Invalid(node, f"it must be a whole number, not {kind}")
        return cstruct

    def from_text(self, text: str) -> object:
        """As `Text.from_text`; a text that is no number stays one."""
        return number_or_text(text)


def number_or_text(text: str) -> object:
    """The number that a text is in JSON; the text itself where it is none."""
    try:
        return msgspec.json.decode(text.encode(errors="replace"), type=int | float)
    except msgspec.MsgspecError:
        return text


def json_type(value: object) -> str:
    """The name of a value's JSON type, for error messages."""
    names = {bool: "a boolean", dict: "an object", list: "an array", str: "a string"}
    if value is None:
        return "null"
    return names.get(type(value), "a number")


class AtMost:
    """A validator: a number above 0, up to ``most``."""

    def __init__(self, most: float) -> None:
        self.most = most

    def __call__(self, node: colander.SchemaNode, value: float) -> None:
        """Raises colander.Invalid."""
        if not 0 < value <= self.most:
            raise colander.Invalid(node, f"it must be above 0 and at most {self.most:g}")

    @property
    def json_schema(self) -> JsonSchema:
        """The same as JSON Schema, for the API's description."""
        return {"exclusiveMinimum": 0, "maximum": self.most}


class Between:
    """A validator: a number from ``low`` to ``high``, inclusive."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __call__(self, node: colander.SchemaNode, value: int) -> None:
        """Raises colander.Invalid."""
        if not self.low <= value <= self.high:
            raise colander.Invalid(node, f"it must be from {self.low} to {self.high}")

    @property
    def json_schema(self) -> JsonSchema:
        """The same as JSON Schema, for the API's description."""
        return {"minimum": self.low, "maximum": self.high}


class Length:
    """A validator: a length from ``low`` to ``high`` characters (code points), inclusive."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __call__(self, node: colander.SchemaNode, value: str) -> None:
        """Raises colander.Invalid."""
        if not self.low <= len(value) <= self.high:
            raise colander.Invalid(
                node, f"it must have {self.low} to {self.high} characters, not {len(value)}"
            )

    @property
    def json_schema(self) -> JsonSchema:
        """The same as JSON Schema, for the API's description."""
        return {"minLength": self.low, "maxLength": self.high}


class TrimmedLength(Length):
    """A `Length` for a text that `trim` has prepared, of at least one character."""

    @property
    def json_schema(self) -> JsonSchema:
        """A pattern, since ``maxLength`` would count the white space around it."""
        inner = rf"[^\s\u0000]([^\u0000]{{0,{self.high - 2}}}[^\s\u0000])?"
        told = f"{self.low} to {self.high} characters, white space around them cut off"
        return {"description": told, "pattern": rf"^\s*{inner}\s*$"}


class MaxBytes:
    """A validator: a text of at most ``most`` bytes in UTF-8, which is what its column holds."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, node: colander.SchemaNode, value: str) -> None:
        """Raises colander.Invalid."""
        self.check(node, len(value.encode()))

    def check(self, node: colander.SchemaNode, size: int) -> None:
        """Raises colander.Invalid for more bytes."""
        if size > self.most:
            raise colander.Invalid(
                node, f"it must have at most {self.most} bytes in UTF-8, not {size}"
            )

    @property
    def json_schema(self) -> JsonSchema:
        """An upper bound in characters, since JSON Schema cannot limit bytes."""
        return {"description": f"At most {self.most:,} bytes in UTF-8", "maxLength": self.most}


class OneOf:
    """A validator: one of the given words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, node: colander.SchemaNode, value: object) -> None:
        """Raises colander.Invalid."""
        if value not in self.words:
            raise colander.Invalid(node, f"it must be {' or '.join(map(repr, self.words))}")

    @property
    def json_schema(self) -> JsonSchema:
        """The same as JSON Schema, for the API's description."""
        return {"enum": list(self.words)}


def trim(text: Any) -> Any:
    """A preparer: strips the white space around a text; other values are left unchanged."""
    return text.strip() if isinstance(text, str) else text


class Field(colander.SchemaNode):  # type: ignore[misc]
    """A field of a body; required, unless ``missing`` gives its default."""

    missing_msg = "it is missing"
    # Whether it may be null.
    nullable = False

    def deserialize(self, cstruct: object = colander.null) -> Any:
        """The value of the field; raises colander.Invalid."""
        if cstruct is colander.null and not self.required:
            return self.missing
        return None if cstruct is None and self.nullable else super().deserialize(cstruct)

    def from_text(self, text: str) -> object:
        """The JSON value that a text outside JSON means; an empty one is null, where that may be.

        Raises colander.Invalid.
        """
        return None if self.nullable and not text else self.typ.from_text(text)

    def json_schema(self) -> JsonSchema:
        """The JSON Schema of its type, validator and default, for the API's description."""
        described: JsonSchema = self.typ.json_schema | getattr(self.validator, "json_schema", {})
        if self.nullable and "type" in described:
            described |= {"type": [described["type"], "null"]}
        if self.missing is None or isinstance(self.missing, str | bool):
            described |= {"default": self.missing}
        return described


class Body(colander.MappingSchema):  # type: ignore[misc]
    """A JSON object. Read-only fields are ignored, so that a representation can be sent back."""

    read_only: ClassVar[frozenset[str]] = frozenset({"id", "created_at", "updated_at"})
    # Parameters that the query may have where fields stand in the query, too: beside a JPEG.
    in_query: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def for_patch(cls) -> "Body":
        """The same fields, none of them required, and none with a default."""
        # Fields are shared by all instances of a class; those of a clone are its own.
        body: Body = cls().clone()
        for node in body.children:
            node.missing = colander.drop
        return body

    def json_schema(self) -> JsonSchema:
        """The object with its fields, for the API's description."""
        described: JsonSchema = {
            "type": "object",
            "additionalProperties": False,
            "properties": {node.name: node.json_schema() for node in self.children},
        }
        if required := [node.name for node in self.children if node.required]:
            described["required"] = required
        if self.read_only:
            ignored = f"^({'|'.join(sorted(self.read_only))})$"
            described["patternProperties"] = {
                ignored: {"description": "Ignored, as the server sent it"}
            }
        return described

    def load(self, data: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, str]]:
        """The valid fields, and an error message for each invalid one."""
        return self._load(data, lambda _, value: value)

    def load_texts(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """As `load`, for texts from outside JSON; other values are left as they are."""
        return self._load(
            data, lambda node, value: node.from_text(value) if isinstance(value, str) else value
        )

    def _load(
        self, data: Mapping[str, Any], read: Callable[[Field, Any], object]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        known = {node.name for node in self.children}
        fields: dict[str, Any] = {}
        unknown = f"there is no such field; there are {', '.join(sorted(known))}"
        wrong = {name: unknown for name in data if name not in known and name not in self.read_only}
        for node in self.children:
            try:
                value = node.deserialize(read(node, data.get(node.name, colander.null)))
            except colander.Invalid as invalid:
                wrong[node.name] = invalid.messages()[0]
            else:
                if value is not colander.drop:
                    fields[node.name] = value
        return fields, wrong
