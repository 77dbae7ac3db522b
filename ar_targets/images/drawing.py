"""Creates the thumbnail of a JPEG. The only module that decodes an image.

It runs only in the `worker` subprocess. libjpeg reduces the size while it
decodes, so that even 50 million pixels take a tenth of a second and little
memory; only progressive files need memory for all of their coefficients.
"""

import io

from PIL import Image, ImageOps

# Pixels of the longer edge: twice what lists show, for high-density screens.
EDGE = 192
QUALITY = 75


def work(data: bytes) -> bytes:
    """A JPEG of at most `EDGE` pixels, rotated by its EXIF data. Raises any error of Pillow."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
        opened.draft("RGB", (EDGE, EDGE))
        # In place, and first: a copy of a long, narrow image could be large.
        opened.thumbnail((EDGE, EDGE))
        small = ImageOps.exif_transpose(opened).convert("RGB")
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
