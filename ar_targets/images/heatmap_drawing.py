"""Draws the heatmap of a target in colours, by itself or over the picture.

It runs only in the `worker` subprocess. As for the analysis, the picture is taken as its bytes are:
EXIF data do not turn it.
"""

import io

from PIL import Image

from .heatmap import unpack

# Pixels of the longer edge.
EDGE = 768
# Of the heatmap over the picture, or over whatever a page has behind it.
OPACITY = 150
# Red, green and blue from where nothing is held to where most is: viridis, which people who do not
# see red or green can read, too (S. van der Walt and N. Smith, 2015).
COLOURS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))


def work(data: bytes) -> bytes:
    """A PNG of at most `EDGE` pixels: half transparent, or over the picture if there is one.

    Raises any error of Pillow.
    """
    heatmap, width, height, picture = unpack(data)
    drawn = coloured(heatmap, size_within(width, height))
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


def coloured(heatmap: bytes, size: tuple[int, int]) -> Image.Image:
    """The heatmap in colours, in that size, half transparent."""
    with Image.open(io.BytesIO(heatmap), formats=["PNG"]) as opened:
        grey = opened.convert("L").resize(size, Image.Resampling.BICUBIC)
    bands = [grey.point([_shade(level, band) for level in range(256)]) for band in range(3)]
    return Image.merge("RGBA", (*bands, Image.new("L", size, OPACITY)))


def _shade(level: int, band: int) -> int:
    """The part of red, green or blue (``band`` 0 to 2) of a level (0 to 255)."""
    place, part = divmod(level * (len(COLOURS) - 1), 255)
    before, after = COLOURS[place][band], COLOURS[min(place + 1, len(COLOURS) - 1)][band]
    return round(before + (after - before) * part / 255)
