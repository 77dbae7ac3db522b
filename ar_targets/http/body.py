"""Cornice validators that read a JSON body: 413, then 415, then 400 with every fault named."""

import json
import secrets
from contextlib import suppress
from io import BytesIO
from itertools import islice
from typing import Any, NamedTuple

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

# Bytes of a body that has no image in it.
PLAIN_LIMIT = 2**20
# Commas and brackets in a body. Each may be a value more, of a hundred bytes in
# memory for two that were sent. A target's description, 65,535 bytes of text,
# may have nothing else.
MARKS, MOST_MARKS = (b",", b"[", b"{"), 70_000
# Bytes of a string that is worth it.
LARGE_STRING = 16 * 1024
# Strings that may come before it: names, and values that are small.
STRINGS_BEFORE = 16
# What stands in its place in the rest. No client can guess it, and so nobody else sends it.
PLACEHOLDER = secrets.token_hex()
UTF8_PARAMETERS = {"charset=utf-8", 'charset="utf-8"', "charset=utf8"}


def json_body(request: Request, schema: Body, **_: Any) -> None:
    """Put the fields of a body that ``schema`` allows into ``request.validated``."""
    load(request, schema, read_object(request, PLAIN_LIMIT))


def optional_json_body(request: Request, schema: Body, **_: Any) -> None:
    """As `json_body`; no body at all is an empty object."""
    if request.content_length:
        json_body(request, schema)
    else:
        load(request, schema, {})


def load(request: Request, schema: Body, data: dict[str, object]) -> None:
    """Hold an object against a schema; what is wrong goes into ``request.errors``."""
    fields, wrong = schema.load(data)
    request.validated.update(fields)
    for name, description in islice(wrong.items(), ERRORS_SHOWN):
        request.errors.add("body", name, description)


def read_object(request: Request, limit: int, large: str = "") -> dict[str, object]:
    """The JSON object in the body; for ``large`` see `parse_object`. Raises 413, 415 or 400."""
    if (request.content_length or 0) > limit:
        raise problem(
            HTTPRequestEntityTooLarge,
            FieldError("body", "", f"the body must have at most {limit} bytes"),
        )
    if not request.content_length:
        raise bad_body("send a JSON object; the body is empty")
    require_json(request)
    return parse_object(body_of(request), large)


def body_of(request: Request) -> bytes:
    """The body; not copied where the server has it in memory."""
    source = request.environ["wsgi.input"]
    body: bytes = source.getvalue() if type(source) is BytesIO else request.body
    return body


def require_json(request: Request) -> None:
    """Raises 415 for a body that does not say to be JSON, or says to be in another charset."""
    media_type, *parameters = request.headers.get("Content-Type", "").lower().split(";")
    charsets = [text for text in map(str.strip, parameters) if text.startswith("charset")]
    if media_type.strip() != "application/json" or any(
        charset not in UTF8_PARAMETERS for charset in charsets
    ):
        raise problem(
            HTTPUnsupportedMediaType,
            FieldError("header", "Content-Type", "it must be application/json, in UTF-8"),
        )


class Lifted(NamedTuple):
    """A body without its first large string, and that string, as it was written."""

    rest: bytes
    text: memoryview


def lift(body: bytes) -> Lifted | None:
    """The parts of a body; None where nothing in it is large, or that is not written as it is.

    A parser copies all that it is given, and each string once more; orjson works in
    memory of twelve times the size, which the system must clear first. For an image
    of 1 MB, that is a quarter of the CPU that its upload takes of us. What lies
    between two quotes can stay where it is: in the body, as it came.

    Where no quote before it is escaped, every one begins a string or ends one.
    Whether the body is JSON, the rest tells; what is in the string, whoever reads it.
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


def parse_object(body: bytes, large: str = "") -> dict[str, object]:
    """Parse JSON. Raises 400.

    A large string of the name ``large`` may be a view of the body: what was
    written between the quotes, which may be no Unicode and have line breaks.
    """
    lifted = lift(body) if large else None
    if lifted is not None:
        # Where something is wrong, the whole says better what.
        with suppress(HTTPBadRequest):
            data = _parse_object(lifted.rest)
            if data.get(large) == PLACEHOLDER:
                return data | {large: lifted.text}
    return _parse_object(body)


def _parse_object(body: bytes) -> dict[str, object]:
    if any(more_than(MOST_MARKS, mark, body) for mark in MARKS):
        raise bad_body("the body holds too many values, or a text too many commas or brackets")
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        data = _parse_with_surrogates(body, str(wrong))
    if not isinstance(data, dict):
        raise bad_body(f"the body must be a JSON object, not {json_type(data)}")
    return data


def more_than(most: int, mark: bytes, body: bytes) -> bool:
    """Whether a byte occurs more often than that.

    Going from one to the next takes 0.04 ms for a megabyte that has few,
    counting them all a millisecond.
    """
    at = -1
    for _ in range(most + 1):
        at = body.find(mark, at + 1)
        if at < 0:
            return False
    return True


def _parse_with_surrogates(body: bytes, reason: str) -> object:
    """Lone surrogates are good JSON that orjson refuses; the schema names the field they are in."""
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
