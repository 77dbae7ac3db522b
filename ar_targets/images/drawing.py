"""Draws the small picture of a JPEG. The only module that decodes an image.

It runs in a `worker`, and nowhere else. libjpeg leaves out detail while it
decodes, so that even 50 million pixels become a small picture in a tenth of a
second and little memory; only progressive files need memory for all of their
coefficients.
"""

import io

from PIL import Image, ImageOps

# Pixels of the longer edge: twice what lists show, for screens with fine dots.
EDGE = 192
QUALITY = 75


def work(data: bytes) -> bytes:
    """A JPEG of at most `EDGE` pixels, upright. Raises whatever Pillow does."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
        opened.draft("RGB", (EDGE, EDGE))
        # In place, and first: every copy of a long, narrow image would be a large one.
        opened.thumbnail((EDGE, EDGE))
        small = ImageOps.exif_transpose(opened).convert("RGB")
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
