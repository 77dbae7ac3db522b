"""From the base64 text in a request to the bytes of a proven JPEG, and back.

The only module that knows how clients write an image.
"""

import pybase64

from ..settings import Settings
from .jpeg import Jpeg, JpegError, prove

DATA_URI = b"data:image/jpeg;base64,"
# Base64 makes 4 characters of 3 bytes; the `base64` command breaks its lines
# after 76, and JSON writes each break as "\n" or "\r\n": up to 4 more in 76.
BASE64_SHARE = 4 / 3 * 80 / 76


class ImageError(ValueError):
    """Why the text is no image that can be kept; for the client to read."""


class ImageTooLargeError(ImageError):
    """The image is larger than the server allows."""


def read(text: str | memoryview, settings: Settings) -> Jpeg:
    """The JPEG in a base64 text, which may begin as a data URI.

    A string may have line breaks; bytes, as they stand in a body of JSON, not.
    Raises ImageError, or ImageTooLargeError before anything of that size is decoded.
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
    """Raises ImageTooLargeError for more bytes than a JPEG may have."""
    if size > settings.image_max_bytes:
        raise ImageTooLargeError(
            f"the JPEG is larger than the {settings.image_max_bytes} bytes allowed"
        )


def accept(data: bytes, settings: Settings) -> Jpeg:
    """The JPEG in these bytes, of a size that was checked. Raises ImageError."""
    try:
        return prove(data, settings.image_max_pixels)
    except JpegError as wrong:
        raise ImageError(f"it must be a whole JPEG, but {wrong}") from None


def largest_body(settings: Settings) -> int:
    """Bytes of the largest request body that can hold an allowed image, and all else beside it.

    1 MiB is left for the description (65,535 bytes, six characters each where
    JSON escapes them) and the rest of the object.
    """
    return int(settings.image_max_bytes * BASE64_SHARE) + 2**20
