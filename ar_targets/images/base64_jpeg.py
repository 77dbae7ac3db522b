"""Decodes the base64 text of a request to a validated JPEG.

The only module that knows how clients encode an image.
"""

import pybase64

from ..settings import OTHER_FIELDS, Settings
from .jpeg import Jpeg, JpegError, prove

DATA_URI = b"data:image/jpeg;base64,"
# Characters per byte: base64 encodes 3 bytes as 4 characters; the `base64` command breaks lines
# after 76, and JSON escapes each line break as "\n" or "\r\n", up to 4 characters per 76.
BASE64_SHARE = 4 / 3 * 80 / 76


class ImageError(ValueError):
    """The text is not an acceptable image; the message is for the client."""


class ImageTooLargeError(ImageError):
    """The image has more bytes than the setting ``image_max_bytes`` allows."""


def read(text: str | memoryview, settings: Settings) -> Jpeg:
    """Decode and validate a JPEG in base64, with or without the prefix of a data URI.

    A string may contain line breaks; bytes, taken from a JSON body as they are, may
    not. Raises ImageError, or ImageTooLargeError before anything is decoded.
    """
    if isinstance(text, str):
        if "\n" in text or "\r" in text:
            text = text.replace("\r", "").replace("\n", "")
        text = memoryview(text.encode())
    beginning, end = bytes(text[: len(DATA_URI)]), bytes(text[-2:])
    if beginning.startswith(b"data:"):
        if beginning != DATA_URI:
            raise ImageError(f"a data URI must begin with {DATA_URI.decode()!r}")
        text = text[len(DATA_URI) :]
    check_size(len(text) * 3 // 4 - end.endswith(b"=") - (end == b"=="), settings)
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        raise ImageError(
            "it is not base64; use the standard alphabet (A-Z a-z 0-9 + /) and keep the padding (=)"
        ) from None
    return accept(data, settings)


def check_size(size: int, settings: Settings) -> None:
    """Raise ImageTooLargeError if ``size`` (bytes) exceeds the limit."""
    if size > settings.image_max_bytes:
        raise ImageTooLargeError(
            f"the JPEG is larger than the {settings.image_max_bytes} bytes allowed"
        )


def accept(data: bytes, settings: Settings) -> Jpeg:
    """Validate a JPEG. Raises ImageError, or ImageTooLargeError."""
    check_size(len(data), settings)
    try:
        return prove(data, settings.image_max_pixels)
    except JpegError as wrong:
        raise ImageError(f"it must be a whole JPEG, but {wrong}") from None


def largest_body(settings: Settings) -> int:
    """Maximum bytes of a request body: the largest allowed image and the other fields."""
    return int(settings.image_max_bytes * BASE64_SHARE) + OTHER_FIELDS
