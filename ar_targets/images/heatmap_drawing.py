"""Draws the heatmap of a target in colours, by itself or over the picture.

It runs only in the `worker` subprocess. As for the analysis, the picture is taken as its bytes are:
EXIF data do not turn it.
"""

import io

from PIL import Image

from .heatmap import unpack

# Pixels of the longer edge.
EDGE = 768


def work(data: bytes) -> bytes:
    """A PNG of at most `EDGE` pixels: half transparent, or over the picture if there is one.

    Raises any error of Pillow.
    """
    heatmap, width, height, picture = unpack(data)
    with Image.open(io.BytesIO(heatmap), formats=["PNG"]) as opened:
        drawn = opened.convert("RGBA").resize(size_within(width, height), Image.Resampling.BICUBIC)
    if picture:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as opened:
            opened.draft("RGB", drawn.size)
            below = opened.convert("RGB").resize(drawn.size).convert("RGBA")
        drawn = Image.alpha_composite(below, drawn).convert("RGB")
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def size_within(width: int, height: int) -> tuple[int, int]:
    """The size in which a picture is drawn: its longer edge has `EDGE` pixels at most."""
    scale = min(1, EDGE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
