"""How much two pictures show the same."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Fit, fit
from .arrays import Bytes
from .features import THUMBNAIL, UNIT, FeatureSet

Matrix = NDArray[np.float64]

# From this similarity on, a camera may confuse two pictures.
SIMILAR = 0.2
# So many features that agree are proof by themselves, in so many of the picture's 6 × 6 parts;
# fewer are where the thumbnails correlate as well.
_PROOF = 20
_PARTS = 4
_CORRELATED = 0.8
# What counts as the same at a glance, without features.
_SAME = 0.97
_AS_LIGHT = 0.8
# Grey levels up to this are a decoder's noise.
_NOISE = 3.0


def similarity(one: FeatureSet, other: FeatureSet) -> float:
    """From 0, nothing in common, to 1, the same; it does not matter which comes first.

    Where features agree on how one picture lies in the other: the mean of how much of each is in
    the other. That is near 1 for a copy, 0.75 for a crop to half of it, more than 0.5 for a
    picture that is a small part of another. Simple pictures have few features: where all of their
    thumbnails correlates, it is the correlation.
    """
    first, second = sorted((one, other), key=_order)
    found = fit(first, second)
    return max(_by_features(first, second, found) if found else 0.0, _at_a_glance(first, second))


def _order(features: FeatureSet) -> tuple[int, int, int, int, bytes, bytes]:
    """Any order, as long as it is of the pictures and not of the arguments."""
    numbers = features.width, features.height, len(features), features.phash
    return *numbers, features.thumbnail.tobytes(), features.points.tobytes()


def _by_features(one: FeatureSet, other: FeatureSet, found: Fit) -> float:
    overlap = _overlap(one, other, found)
    proven = len(found.one) >= _PROOF and _parts(other, found) >= _PARTS
    if not proven and overlap.correlation < _CORRELATED:
        return 0.0
    return (overlap.of_one + overlap.of_other) / 2


def _parts(other: FeatureSet, found: Fit) -> int:
    """In how many of 6 × 6 parts of the picture features agree."""
    cells = other.points[found.other, :2] // (UNIT / 6)
    return len(np.unique(cells, axis=0))


class Overlap(NamedTuple):
    """What is in both: as a share of each picture, and how the thumbnails correlate there."""

    of_one: float
    of_other: float
    correlation: float


def _overlap(one: FeatureSet, other: FeatureSet, found: Fit) -> Overlap:
    placed = np.linalg.inv(_unit(other)) @ np.vstack([found.matrix, (0, 0, 1)]) @ _unit(one)
    of_other, correlation = _laid(one.thumbnail, other.thumbnail, placed)
    of_one, back = _laid(other.thumbnail, one.thumbnail, np.linalg.inv(placed))
    return Overlap(of_one, of_other, min(correlation, back))


def _laid(one: Bytes, other: Bytes, placed: Matrix) -> tuple[float, float]:
    """One thumbnail over another: the share of the other that it covers, the correlation there."""
    size = THUMBNAIL, THUMBNAIL
    seen = np.asarray(cv2.warpAffine(one, placed[:2], size), np.uint8)
    covered = cv2.warpAffine(np.ones_like(one), placed[:2], size, flags=cv2.INTER_NEAREST) > 0
    # A few pixels correlate by chance.
    few = covered.sum() < THUMBNAIL
    return float(covered.mean()), 0.0 if few else _correlation(seen[covered], other[covered])


def _unit(features: FeatureSet) -> Matrix:
    """Takes the thumbnail's pixels to `UNIT`; an index is of a pixel's middle."""
    long_side = max(features.width, features.height)
    x = UNIT * features.width / long_side / THUMBNAIL
    y = UNIT * features.height / long_side / THUMBNAIL
    return np.array([(x, 0, x / 2), (0, y, y / 2), (0, 0, 1)])


def _correlation(one: Bytes, other: Bytes) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    common = ((a - a.mean()) * (b - b.mean())).mean()
    return float((common + _NOISE**2) / np.sqrt((a.var() + _NOISE**2) * (b.var() + _NOISE**2)))


def _at_a_glance(one: FeatureSet, other: FeatureSet) -> float:
    """The correlation of all of the thumbnails, turned by right angles; 0 where it is not high."""
    means = float(one.thumbnail.mean()) + 1, float(other.thumbnail.mean()) + 1
    if min(means) / max(means) < _AS_LIGHT:
        return 0.0
    turned = (np.rot90(one.thumbnail, quarter) for quarter in range(4))
    best = max(_correlation(thumbnail, other.thumbnail) for thumbnail in turned)
    return min(best, 1.0) if best >= _SAME else 0.0
