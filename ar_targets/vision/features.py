"""What is kept of a picture in order to find it again: its features, and two small summaries.

Features are SIFT's, with rooted descriptors in bytes: each is the square root of SIFT's normalised
histogram, times 512. Whole numbers have a reason beside their size: sums of their products stay
below 2**24, so that float32 holds them exactly, and distances are the same on any number of
threads, in any order of summing.

A target gives the strongest features at two sizes, since a camera sees it near and far.
"""

import itertools
import struct
import zlib
from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np

from .arrays import Bytes, Floats
from .phash import phash

# Pixels of the long side at which features are sought, and how many of the strongest are kept.
LEVELS = ((512, 350), (256, 150))
# Points are in pixels of the picture at this long side, from its top left corner.
UNIT = 512
# Far below OpenCV's 0.04: the strongest are kept anyway, and hazes have none but weak ones. A
# camera does not hold on to those, but a copy has them.
_CONTRAST = 0.004
_DIMENSIONS = 128
# Pixels of each side of the summary in grey.
THUMBNAIL = 64

_MAGIC = b"ARF1"
# Magic, width, height, phash, number of features; then thumbnail, points, descriptors, CRC-32.
_HEAD = struct.Struct("<4sIIQI")
_POINT = np.dtype("<f4")

# OpenCV's threads would not make this faster for one picture, and disturb others.
cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """The features of one picture.

    ``points`` has a row for each: x, y and diameter in `UNIT`, angle in degrees (clockwise).
    ``descriptors`` has 128 bytes for each. ``thumbnail`` is the picture in grey, squeezed into
    64 × 64 pixels.
    """

    width: int
    height: int
    phash: int
    thumbnail: Bytes = field(repr=False)
    points: Floats = field(repr=False)
    descriptors: Bytes = field(repr=False)

    def __len__(self) -> int:
        return len(self.points)

    def to_bytes(self) -> bytes:
        """As they are kept in the database."""
        head = _HEAD.pack(_MAGIC, self.width, self.height, self.phash, len(self))
        arrays = (self.thumbnail, self.points.astype(_POINT), self.descriptors)
        body = head + b"".join(array.tobytes() for array in arrays)
        return body + zlib.crc32(body).to_bytes(4, "little")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` wrote. Raises ValueError for damaged bytes."""
        if len(data) < _HEAD.size + 4 or data[:4] != _MAGIC:
            raise ValueError("these are no features")
        if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
            raise ValueError("the features are damaged")
        _, width, height, bits, count = _HEAD.unpack_from(data)
        sizes = (THUMBNAIL**2, count * 4 * _POINT.itemsize, count * _DIMENSIONS)
        ends = np.cumsum((_HEAD.size, *sizes))
        if ends[-1] + 4 != len(data):
            raise ValueError("the features are damaged")
        parts = [data[start:end] for start, end in itertools.pairwise(ends)]
        return cls(
            width=width,
            height=height,
            phash=bits,
            thumbnail=np.frombuffer(parts[0], np.uint8).reshape(THUMBNAIL, THUMBNAIL),
            points=np.frombuffer(parts[1], _POINT).astype(np.float32).reshape(-1, 4),
            descriptors=np.frombuffer(parts[2], np.uint8).reshape(-1, _DIMENSIONS),
        )


def extract(grey: Bytes, width: int, height: int) -> FeatureSet:
    """The features of a picture in grey, which may be reduced already from its width and height."""
    thumbnail = _resized(grey, THUMBNAIL, THUMBNAIL)
    levels = [_level(grey, side, count) for side, count in LEVELS]
    return FeatureSet(
        width=width,
        height=height,
        phash=phash(thumbnail),
        thumbnail=thumbnail,
        points=np.concatenate([points for points, _ in levels]),
        descriptors=np.concatenate([descriptors for _, descriptors in levels]),
    )


def _level(grey: Bytes, side: int, count: int) -> tuple[Floats, Bytes]:
    """The strongest features at one size: points and descriptors."""
    scaled = _scaled(grey, side)
    sift = cv2.SIFT.create(contrastThreshold=_CONTRAST)
    found = sift.detect(scaled, None)
    # A total order: SIFT's own depends on the number of threads.
    found = sorted(found, key=lambda k: (-k.response, *k.pt, k.size, k.angle))[:count]
    if not found:
        return np.empty((0, 4), np.float32), np.empty((0, _DIMENSIONS), np.uint8)
    kept, descriptors = sift.compute(scaled, found)
    unit = UNIT / side
    points = np.array(
        [((k.pt[0] + 0.5) * unit, (k.pt[1] + 0.5) * unit, k.size * unit, k.angle) for k in kept],
        np.float32,
    )
    return points, _rooted(np.asarray(descriptors, np.float32))


def _scaled(grey: Bytes, side: int) -> Bytes:
    """The picture with this long side."""
    height, width = grey.shape
    factor = side / max(height, width)
    return _resized(grey, max(1, round(width * factor)), max(1, round(height * factor)))


def _resized(grey: Bytes, width: int, height: int) -> Bytes:
    way = cv2.INTER_AREA if width < grey.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (width, height), interpolation=way), np.uint8)


def _rooted(descriptors: Floats) -> Bytes:
    """Square roots of the histograms, so that their distances are Hellinger's."""
    share = descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.rint(np.sqrt(share) * 512).clip(0, 255), np.uint8)
