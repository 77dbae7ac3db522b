"""Draws small pictures of JPEGs, at a bounded cost. The only module that decodes an image.

libjpeg leaves out detail while it decodes, so that even 50 million pixels
become a small picture in tens of milliseconds and little memory; only
progressive files need memory for all of their coefficients, six bytes a
pixel. One picture at a time is drawn in a process, and none of a larger image.
"""

import io
import threading

from PIL import Image, ImageOps

from ..models.target import TargetRecord

# Pixels of the longer edge: twice what lists show, for screens with fine dots.
EDGE = 192
QUALITY = 75
PIXELS_MAX = 64_000_000

_one_at_a_time = threading.Lock()


class NoThumbnailError(Exception):
    """The image is too large to be drawn, or no decoder can read it."""


def draw(data: bytes, record: TargetRecord) -> bytes:
    """A JPEG of at most `EDGE` pixels, upright. Raises NoThumbnailError."""
    if record.width * record.height > PIXELS_MAX:
        raise NoThumbnailError
    with _one_at_a_time:
        try:
            return _draw(data)
        except (OSError, ValueError, SyntaxError) as wrong:
            raise NoThumbnailError from wrong


def _draw(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
        opened.draft("RGB", (EDGE, EDGE))
        small = ImageOps.exif_transpose(opened).convert("RGB")
    small.thumbnail((EDGE, EDGE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
