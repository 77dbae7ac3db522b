"""The heatmap of a target as a picture, drawn in a subprocess (`heatmap_drawing`) within limits."""

import struct
from collections.abc import Callable

from .process import turn

DRAWING = "ar_targets.images.heatmap_drawing"
# Width and height of the picture in pixels, and bytes of the heatmap, which follows, then the JPEG.
_HEAD = struct.Struct(">III")


def draw(heatmap: bytes, width: int, height: int, read: Callable[[], bytes] | None = None) -> bytes:
    """A PNG in colours of a heatmap (PNG, 8-bit grey) of a picture of ``width`` × ``height``.

    Half transparent; or over the picture, where ``read`` returns it, which is called only when
    the subprocess can start. Raises the errors of `process`.
    """
    with turn() as run:
        picture = read() if read else b""
        head = _HEAD.pack(width, height, len(heatmap))
        return run(DRAWING, head + heatmap + picture, width * height if picture else 0)


def unpack(data: bytes) -> tuple[bytes, int, int, bytes]:
    """What `draw` hands to the subprocess: the heatmap, width, height, and the JPEG or nothing."""
    width, height, length = _HEAD.unpack_from(data)
    behind = _HEAD.size + length
    return data[_HEAD.size : behind], width, height, data[behind:]
