"""Bodies of requests: JSON, a JPEG as it is, or a form with a JPEG and other fields."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from urllib3 import encode_multipart_formdata
from urllib3.fields import RequestField

from .errors import ClientError
from .fields import as_json, encodable

JPEG = "image/jpeg"


@dataclass(frozen=True)
class Form:
    """A form (multipart/form-data) with the file ``image``; each other field is a text."""

    image: bytes
    texts: Mapping[str, str]


# JSON, a form, a JPEG, or none.
Payload = Mapping[str, Any] | Form | bytes | None


def form(image: bytes, fields: Mapping[str, Any]) -> Form:
    """A form with the fields as the API reads them from texts. Raises ClientError."""
    return Form(image, {name: as_text(name, value) for name, value in fields.items()})


def as_text(name: str, value: Any) -> str:
    """A field as the text of a form's part; empty for null. Raises ClientError."""
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) and name != "metadata" else as_json(value)
    except (TypeError, ValueError, RecursionError) as wrong:
        raise ClientError(f"{name}: it must be JSON: {wrong}") from None
    if not encodable(text):
        raise ClientError(f"{name}: it must not have a lone surrogate (it is no character)")
    return text


def encode(payload: Payload, boundary: str | None = None) -> tuple[bytes | None, str | None]:
    """The bytes of a body and their Content-Type. Raises ClientError.

    ``boundary``: what stands between the parts of a form; random if there is none.
    """
    if payload is None:
        return None, None
    if isinstance(payload, bytes):
        return payload, JPEG
    if isinstance(payload, Form):
        image = RequestField("image", payload.image, "image.jpg")
        image.make_multipart(content_type=JPEG)
        return encode_multipart_formdata([*payload.texts.items(), image], boundary)
    try:
        return json.dumps(payload, allow_nan=False).encode(), "application/json"
    except (TypeError, ValueError, RecursionError) as wrong:
        raise ClientError(f"the request is no JSON: {wrong}") from None
