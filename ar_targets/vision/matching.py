"""Verifies that two pictures show the same, whole or in part, and says how much of it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .arrays import Bytes, Floats, Int64s
from .features import UNIT, FeatureSet
from .phash import NEAR, distance

Points = NDArray[np.float32]
Matrix = NDArray[np.float64]

# A match's distance is at most this share of the distance to the next best one.
_RATIO = 0.9
# Of the pairs' common turn and change of size.
_DEGREES = 40.0
_OCTAVES = 1.3
# Pixels of `UNIT`.
_NEAR = 4.0
_SEED = 20_260
# Features needed for a homography.
_FEWEST = 15


# From this similarity on, a camera may confuse two pictures.
SIMILAR = 0.2


def similarity(one: FeatureSet, other: FeatureSet) -> float:
    """How much two pictures show the same: 0 nothing, 1 all of it; the same in both directions.

    Where features agree on how one picture lies in the other, it is their overlap, as a share of
    what both cover together: near 1 for a copy, 0.5 for a crop to half. Pictures with few
    features are compared by their hashes.
    """
    first, second = sorted((one, other), key=_order)
    found = fit(first, second)
    if found is not None:
        return _overlap(first, second, found.homography)
    apart = distance(one.phash, other.phash)
    return 1 - apart / 64 if apart <= NEAR and min(len(one), len(other)) < _FEWEST else 0.0


def _order(features: FeatureSet) -> tuple[int, int, int, int, bytes]:
    """Any order, as long as it is of the pictures and not of the arguments."""
    few = features
    return few.width, few.height, len(few), few.phash, few.thumbnail.tobytes()


def _overlap(one: FeatureSet, other: FeatureSet, homography: Matrix) -> float:
    """The area that both cover, as a share of the area that either covers."""
    seen = cv2.perspectiveTransform(corners(one)[None], homography)[0]
    whole = corners(other)
    both, _ = cv2.intersectConvexConvex(seen, whole)
    either = cv2.contourArea(seen) + cv2.contourArea(whole) - both
    return float(np.clip(both / either, 0, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How one picture lies in another: the homography, and the matches that agree with it."""

    homography: Matrix
    one: Points
    other: Points

    @property
    def inliers(self) -> int:
        """How many matches agree."""
        return len(self.one)


def fit(one: FeatureSet, other: FeatureSet) -> Fit | None:
    """Where ``one`` lies in ``other``; None where it does not."""
    if min(len(one), len(other)) < _FEWEST:
        return None
    rows, columns = _matches(one.descriptors, other.descriptors)
    rows, columns = _agreeing(one.points, other.points, rows, columns)
    if len(rows) < _FEWEST:
        return None
    source = np.ascontiguousarray(one.points[rows, :2])
    target = np.ascontiguousarray(other.points[columns, :2])
    homography, mask = cv2.findHomography(source, target, _usac())
    if homography is None:
        return None
    inlier = mask.ravel().astype(bool)
    found = Fit(np.asarray(homography, np.float64), source[inlier], target[inlier])
    return found if found.inliers >= _FEWEST and _plausible(one, found) else None


def _usac() -> cv2.UsacParams:
    params = cv2.UsacParams()
    params.sampler = cv2.SAMPLING_UNIFORM
    params.score = cv2.SCORE_METHOD_MAGSAC
    params.loMethod = cv2.LOCAL_OPTIM_SIGMA
    params.loIterations = 10
    params.loSampleSize = 50
    params.final_polisher = cv2.MAGSAC
    params.final_polisher_iterations = 10
    params.threshold = _NEAR
    params.confidence = 0.999
    params.maxIterations = 1000
    params.isParallel = False
    params.randomGeneratorState = _SEED
    return params


def _matches(one: Bytes, other: Bytes) -> tuple[Int64s, Int64s]:
    """Indices of features that are each other's nearest, and nearer than the next."""
    squares = _squares(one, other)
    best = squares.argmin(axis=1)
    rows = np.arange(len(one))
    nearest = squares[rows, best]
    mutual = squares.argmin(axis=0)[best] == rows
    squares[rows, best] = np.inf
    distinct = nearest <= _RATIO**2 * squares.min(axis=1)
    kept = mutual & distinct
    return rows[kept], best[kept]


def _squares(one: Bytes, other: Bytes) -> Floats:
    """Squared distances, exact: see `features`."""
    a, b = one.astype(np.float32), other.astype(np.float32)
    squares: Floats = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * (a @ b.T)
    return squares


def _agreeing(one: Floats, other: Floats, rows: Int64s, columns: Int64s) -> tuple[Int64s, Int64s]:
    """Those matches whose turn and change of size are near the most frequent ones."""
    if not len(rows):
        return rows, columns
    turn = (other[columns, 3] - one[rows, 3]) % 360
    octaves = np.log2(other[columns, 2] / one[rows, 2])
    turns, sizes = (
        (turn // 10).astype(np.int64) % 36,
        np.clip((octaves + 6) * 3, 0, 35).astype(np.int64),
    )
    votes = np.bincount(turns * 36 + sizes, minlength=36 * 36).reshape(36, 36).astype(np.float32)
    padded = np.pad(np.pad(votes, ((1, 1), (0, 0)), mode="wrap"), ((0, 0), (1, 1)))
    smooth = sum(padded[i : i + 36, j : j + 36] for i in range(3) for j in range(3))
    peak_turn, peak_size = divmod(int(np.argmax(smooth)), 36)
    off = np.abs((turn - (peak_turn + 0.5) * 10 + 180) % 360 - 180)
    kept = (off <= _DEGREES) & (np.abs(octaves - ((peak_size + 0.5) / 3 - 6)) <= _OCTAVES)
    return rows[kept], columns[kept]


def corners(of: FeatureSet) -> Points:
    """The picture's corners in `UNIT`."""
    scale = UNIT / max(of.width, of.height)
    width, height = of.width * scale, of.height * scale
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _plausible(one: FeatureSet, found: Fit) -> bool:
    """Whether the picture is seen from the front: convex, not mirrored, not all too oblique."""
    quad = corners(one)
    depth = found.homography[2] @ np.c_[quad, np.ones(4)].T
    if depth.min() <= 0 and depth.max() >= 0:
        return False
    seen = cv2.perspectiveTransform(quad[None], found.homography)[0]
    sides = np.roll(seen, -1, axis=0) - seen
    following = np.roll(sides, -1, axis=0)
    crossed = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if crossed.min() <= 0:
        return False
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    ratios = np.array([lengths[0] / lengths[2], lengths[1] / lengths[3]])
    return bool(lengths.min() >= 0.03 * UNIT and ratios.max() <= 3 and ratios.min() >= 1 / 3)
