"""A perceptual hash: 64 bits that stay nearly the same when a picture is compressed or resized.

Bits differ by the Hamming distance. Copies are within `NEAR` bits of each other; pictures that are
turned, cropped or framed are not, so features (`features`) find those.
"""

import cv2
import numpy as np

from .arrays import Bytes, UInt64s

# Pixels of each side of the reduced picture, and coefficients of each side that make the bits.
_SIDE = 32
_LOW = 8
# Coefficients up to this are noise of the decoder: a flat picture has no bits but zeros.
_NOISE = 2.0
# Bits in which a copy may differ.
NEAR = 6


def phash(thumbnail: Bytes) -> int:
    """The hash: for each of the lowest frequencies, if it is stronger than their median."""
    reduced = cv2.resize(thumbnail, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(reduced)[:_LOW, :_LOW].ravel()
    low[0] = 0  # the mean: how light the picture is
    bits = low > max(float(np.median(low)), _NOISE)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def distance(one: int, other: int) -> int:
    """In how many bits two hashes differ."""
    return (one ^ other).bit_count()


def distances(one: int, others: UInt64s) -> Bytes:
    """In how many bits a hash differs from each of many."""
    return np.asarray(np.bitwise_count(others ^ np.uint64(one)), np.uint8)
