"""Thumbnails of JPEGs, created within limits of CPU and memory."""

from collections.abc import Callable

from ..images import process
from ..images.process import ImageAtFaultError
from ..models.target import Target

PIXELS_MAX = 64_000_000


def draw(row: Target, read: Callable[[], bytes]) -> bytes:
    """A thumbnail (JPEG) made by `images.drawing` in a subprocess; ``read`` returns the image.

    ``read`` is called only when the subprocess can start. Raises ImageAtFaultError if the
    image has more than `PIXELS_MAX` pixels or cannot be decoded within the limits, and the
    other errors of `images.process`.
    """
    pixels = row.width * row.height
    if pixels > PIXELS_MAX:
        raise ImageAtFaultError(f"it has more than {PIXELS_MAX} pixels")
    with process.turn() as run:
        return run("ar_targets.images.drawing", read(), pixels)
