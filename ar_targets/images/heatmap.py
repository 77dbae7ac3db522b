"""The heatmap of a target in colours: small, as it is, or as a picture that a subprocess draws.

The stored one is grey (`ar_targets.vision.assessment.Assessment`). A PNG of grey pixels becomes one
of colours by a palette: the pixels themselves stay as they are, and nothing is decoded.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Width, height, bits of a pixel, type of colour, and three that are 0 where nothing is interlaced.
_HEADER = struct.Struct(">II5B")
GREY, PALETTE = (8, 0, 0, 0, 0), (8, 3, 0, 0, 0)
# Red, green, blue and opacity where nothing is held, halfway, and where it is held best. It grows
# lighter all the way, so that it can be read without telling colours apart.
COLD, WARM, HOT = (20, 10, 60, 215), (200, 60, 70, 150), (255, 235, 90, 110)
# Width and height of the picture in pixels, and bytes of the heatmap, which follows, then the JPEG.
_HEAD = struct.Struct(">III")


def pack(heatmap: bytes, width: int, height: int, picture: bytes) -> bytes:
    """What `heatmap_drawing` takes: a heatmap (PNG), the picture's size in pixels, and the picture.

    Without ``picture``, which is a JPEG or empty, the heatmap is drawn by itself.
    """
    return _HEAD.pack(width, height, len(heatmap)) + heatmap + picture


def unpack(data: bytes) -> tuple[bytes, int, int, bytes]:
    """The heatmap, width, height and picture of `pack`."""
    width, height, length = _HEAD.unpack_from(data)
    behind = _HEAD.size + length
    return data[_HEAD.size : behind], width, height, data[behind:]


def coloured(grey: bytes) -> bytes:
    """The heatmap in colours. Raises ValueError for what is no 8-bit grey PNG."""
    start = len(SIGNATURE)
    kind, header = grey[start + 4 : start + 8], grey[start + 8 : start + 8 + _HEADER.size]
    if not grey.startswith(SIGNATURE) or kind != b"IHDR" or len(header) < _HEADER.size:
        raise ValueError("it is no PNG")
    width, height, *pixels = _HEADER.unpack(header)
    if tuple(pixels) != GREY:
        raise ValueError("it is no 8-bit grey PNG")
    rest = grey[start + 8 + _HEADER.size + 4 :]
    return SIGNATURE + _chunk(b"IHDR", _HEADER.pack(width, height, *PALETTE)) + _COLOURS + rest


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG: its length, kind, data and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _colour(level: int) -> tuple[int, ...]:
    """The colour of a level of grey."""
    low, high, part = (COLD, WARM, level) if level < 128 else (WARM, HOT, level - 128)
    return tuple(a + (b - a) * part // 128 for a, b in zip(low, high, strict=True))


_LEVELS = [_colour(level) for level in range(256)]
_COLOURS = _chunk(b"PLTE", bytes(part for level in _LEVELS for part in level[:3]))
_COLOURS += _chunk(b"tRNS", bytes(level[3] for level in _LEVELS))
