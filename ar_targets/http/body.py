"""Cornice validators that read a JSON body: 413, then 415, then 400 with all errors."""

import functools
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import orjson
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPException,
    HTTPRequestEntityTooLarge,
    HTTPUnsupportedMediaType,
)
from pyramid.request import Request

from ..errors import ERRORS_SHOWN, FieldError, problem
from ..schemas.body import Body, json_type

# Maximum size in bytes of a body without an image.
PLAIN_LIMIT = 2**20
# Maximum number of commas or brackets in a body. Each may add a value, which takes a hundred
# bytes in memory for two that were sent. A target's description, 65,535 bytes of text, may
# consist of them.
MARKS, MOST_MARKS = (b",", b"[", b"{"), 70_000
# Minimum size in bytes of a string that `lift` separates.
LARGE_STRING = 16 * 1024
# Strings that may come before it: names, and small values.
STRINGS_BEFORE = 16
# Replaces that string in the rest of the body. Random, so that no client can send it.
PLACEHOLDER = secrets.token_hex()
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
UTF8_PARAMETERS = {"charset=utf-8", 'charset="utf-8"', "charset=utf8"}


def json_body(request: Request, schema: Body, **_: Any) -> None:
    """Put the fields of a body that ``schema`` allows into ``request.validated``."""
    load(request, schema, read_object(request, PLAIN_LIMIT))


def optional_json_body(request: Request, schema: Body, **_: Any) -> None:
    """As `json_body`; an empty body is read as an empty object."""
    if request.content_length:
        json_body(request, schema)
    else:
        load(request, schema, {})


def load(request: Request, schema: Body, data: dict[str, object]) -> None:
    """Validate an object with a schema; errors go into ``request.errors``."""
    fields, wrong = schema.load(data)
    request.validated.update(fields)
    add_errors(request, wrong)


def add_errors(request: Request, wrong: Mapping[str, str], location: str = "body") -> None:
    """Add to ``request.errors`` what is wrong with fields, by name."""
    for name, description in islice(wrong.items(), ERRORS_SHOWN):
        request.errors.add(location, name, description)


def read_object(
    request: Request, limit: int, large: str = "", raw: str = "", others: Sequence[str] = ()
) -> dict[str, object]:
    """The JSON object in the body; for ``large`` and ``raw`` see `parse_object`.

    Raises 413, 415 or 400.
    """
    require_size(request, limit)
    if not request.content_length:
        raise bad_body("send a JSON object; the body is empty")
    require_json(request, others)
    return parse_object(body_of(request), large, raw)


def require_size(request: Request, limit: int) -> None:
    """Raise 413 for a body of more than ``limit`` bytes."""
    if (request.content_length or 0) > limit:
        raise too_large(f"the body must have at most {limit} bytes")


def too_large(description: str) -> HTTPException:
    """A 413 about the body as a whole."""
    return problem(HTTPRequestEntityTooLarge, FieldError("body", "", description))


def body_of(request: Request) -> bytes:
    """The body; not copied where the server has it in a BytesIO."""
    source = request.environ["wsgi.input"]
    body: bytes = source.getvalue() if type(source) is BytesIO else request.body
    return body


def require_json(request: Request, others: Sequence[str]) -> None:
    """Raise 415 unless the Content-Type is JSON, in UTF-8 where it names a charset.

    ``others`` are the media types that are accepted as well, for the error.
    """
    media_type, *parameters = request.headers.get("Content-Type", "").lower().split(";")
    charsets = [text for text in map(str.strip, parameters) if text.startswith("charset")]
    if media_type.strip() != "application/json" or any(
        charset not in UTF8_PARAMETERS for charset in charsets
    ):
        described = ", or ".join(["it must be application/json, in UTF-8", *others])
        raise problem(
            HTTPUnsupportedMediaType,
            FieldError("header", "Content-Type", described),
        )


def require_type(request: Request, media_type: str) -> None:
    """Raise 415 unless the body has that media type."""
    if request.content_type.lower() != media_type:
        raise problem(
            HTTPUnsupportedMediaType,
            FieldError("header", "Content-Type", f"it must be {media_type}"),
        )


class Lifted(NamedTuple):
    """A body with `PLACEHOLDER` for its first large string, and that string as sent."""

    rest: bytes
    text: memoryview


def lift(body: bytes) -> Lifted | None:
    """Separate the first large string from the body; None without one, or where it has escapes.

    This saves CPU: a parser copies its whole input, and each string once more; orjson uses memory
    of twelve times the size, which the system must clear first. For an image of 1 MB, that is a
    quarter of the CPU time of its upload. The string between its quotes can stay in the body.

    Where no quote before the string is escaped, each quote begins or ends a string. Parsing the
    rest checks that the body is JSON; the content of the string is checked by its reader.
    """
    end = -1
    for _ in range(STRINGS_BEFORE):
        start = body.find(b'"', end + 1) + 1
        end = body.find(b'"', start)
        if start == 0 or end < 0:
            return None
        if end - start >= LARGE_STRING:
            break
    else:
        return None
    if body.find(b'\\"', 0, start) >= 0 or body.find(b"\\", start, end) >= 0:
        return None
    rest = b"".join((body[:start], PLACEHOLDER.encode(), body[end:]))
    return Lifted(rest, memoryview(body)[start:end])


def parse_object(body: bytes, large: str = "", raw: str = "") -> dict[str, object]:
    """Parse JSON. Raises 400.

    A large string in the field ``large`` may be returned as a memoryview of the body: the bytes
    between the quotes, which may be invalid UTF-8 and contain line breaks. The field ``raw`` is
    parsed, but not decoded: its value is a msgspec.Raw, except for null.
    """
    lifted = lift(body) if large else None
    if lifted is not None:
        # On an error, parse the whole body instead: its error message is more precise.
        with suppress(HTTPBadRequest):
            data = _parse_object(lifted.rest, raw)
            if data.get(large) == PLACEHOLDER:
                return data | {large: lifted.text}
    return _parse_object(body, raw)


def _parse_object(body: bytes, raw: str = "") -> dict[str, object]:
    kept = _raw_field(body, raw) if raw else b""
    if any(too_many(mark, body, kept) for mark in MARKS):
        raise bad_body("the body holds too many values, or a text too many commas or brackets")
    if kept:
        return _parse_around(body, raw)
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        data = _parse_with_surrogates(body, str(wrong))
    if not isinstance(data, dict):
        raise bad_body(f"the body must be a JSON object, not {json_type(data)}")
    return data


@functools.cache
def _only(field: str) -> msgspec.json.Decoder[Any]:
    """A decoder that skips all fields of an object but one."""
    one = (field, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)
    return msgspec.json.Decoder(msgspec.defstruct("Only", [one]))


def _raw_field(body: bytes, field: str) -> bytes:
    """The JSON of a field of an object; empty where there is none, or the body is no object."""
    try:
        kept = getattr(_only(field).decode(body), field)
    except (ValueError, RecursionError):
        return b""
    return b"" if kept is msgspec.UNSET else bytes(kept)


def _parse_around(body: bytes, raw: str) -> dict[str, object]:
    """Decode all fields of an object but one, which has been parsed by `_raw_field` already."""
    data: dict[str, object] = {}
    try:
        for name, text in _FIELDS.decode(body).items():
            keep = name == raw and bytes(text) != b"null"
            data[name] = text if keep else orjson.loads(memoryview(text))
    except ValueError as wrong:
        raise bad_body(f"the body is not JSON: {wrong}") from None
    return data


def too_many(mark: bytes, body: bytes, kept: bytes) -> bool:
    """Whether a byte occurs more than `MOST_MARKS` times outside of the part that is kept."""
    return more_than(MOST_MARKS, mark, body) and body.count(mark) - kept.count(mark) > MOST_MARKS


def more_than(most: int, mark: bytes, body: bytes) -> bool:
    """Whether a byte occurs more than ``most`` times.

    Searching from one to the next takes 0.04 ms for a megabyte with few of them, counting all a
    millisecond.
    """
    at = -1
    for _ in range(most + 1):
        at = body.find(mark, at + 1)
        if at < 0:
            return False
    return True


def _parse_with_surrogates(body: bytes, reason: str) -> object:
    """Parse JSON with lone surrogates, which orjson refuses; the schema then reports the field."""
    if b"\\ud" in body.lower():
        try:
            return json.loads(body.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            pass
    raise bad_body(f"the body is not JSON: {reason}")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def bad_body(description: str) -> HTTPException:
    """A 400 about the body as a whole."""
    return problem(HTTPBadRequest, FieldError("body", "", description))
