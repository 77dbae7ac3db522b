"""Small pictures of JPEGs, drawn at a bounded cost."""

from collections.abc import Callable

from ..images import process
from ..images.process import ImageAtFaultError
from ..models.target import TargetRecord

PIXELS_MAX = 64_000_000


def draw(record: TargetRecord, read: Callable[[], bytes]) -> bytes:
    """A JPEG as `drawing` makes it. ``read`` is asked for the image when its turn has come.

    Raises ImageAtFaultError where no decoder reads the image within the limits, or it
    has more than `PIXELS_MAX`; and the other errors of `image_process`.
    """
    pixels = record.width * record.height
    if pixels > PIXELS_MAX:
        raise ImageAtFaultError(f"it has more than {PIXELS_MAX} pixels")
    with process.turn() as run:
        return run("ar_targets.images.drawing", read(), pixels)
