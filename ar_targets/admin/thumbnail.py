"""Small pictures of JPEGs, drawn at a bounded cost."""

from .. import image_process
from ..image_process import ImageProcessError
from ..models.target import TargetRecord

PIXELS_MAX = 64_000_000


class NoThumbnailError(Exception):
    """The image is too large to be drawn, or no decoder can read it within its limits."""


def draw(data: bytes, record: TargetRecord) -> bytes:
    """A JPEG as `drawing` makes it. Raises NoThumbnailError."""
    pixels = record.width * record.height
    if pixels > PIXELS_MAX:
        raise NoThumbnailError(f"it has more than {PIXELS_MAX} pixels")
    try:
        return image_process.run("ar_targets.drawing", data, pixels)
    except ImageProcessError as wrong:
        raise NoThumbnailError(str(wrong)) from wrong
