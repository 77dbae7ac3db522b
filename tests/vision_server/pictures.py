"""Variants of photographs: the same to a camera, and not the same bytes."""

import io

from PIL import Image

from ..pictures import CHINA, FLOWER
from ..unit.jpegs import encoded


def resized(data: bytes, share: float) -> bytes:
    """The photograph in another size."""
    picture = Image.open(io.BytesIO(data))
    return encoded(picture.resize((round(picture.width * share), round(picture.height * share))))


GATE, SMALL_GATE = CHINA, resized(CHINA, 0.8)
DAHLIA, SMALL_DAHLIA = FLOWER, resized(FLOWER, 0.8)
# Half of the area.
PART = encoded(Image.open(io.BytesIO(CHINA)).crop((60, 40, 540, 325)))
