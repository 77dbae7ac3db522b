"""How one picture lies in another, by their features: turned, resized, cropped, seen askew.

Nothing here is drawn by chance: each match by itself says how the pictures lie, since features have
a direction and a size. The one with which most others agree is refined.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import Bytes, Floats, Int64s
from .features import FeatureSet

Matrix = NDArray[np.float64]

# The nearest features of the other picture that each may match: a pattern has many alike.
_NEIGHBOURS = 3
# The nearest matches that are looked at.
_MATCHES = 300
# How far off a match may be from what another one says: pixels of `UNIT`, degrees, octaves.
_ROUGHLY = 24.0
_DEGREES = 20.0
_OCTAVES = 0.6
# Pixels from what all say together, for each step of refining.
_STEPS = (16.0, 8.0, 5.0)
# Matches needed.
_FEWEST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Takes points of one picture to those of another: 2 × 3; and the matches that agree."""

    matrix: Matrix
    one: Int64s
    other: Int64s


def fit(one: FeatureSet, other: FeatureSet) -> Fit | None:
    """How ``one`` lies in ``other``; None where too few features agree on it."""
    if min(len(one), len(other)) < _FEWEST:
        return None
    rows, columns = _matches(one.descriptors, other.descriptors)
    agree = _most_agreed(one.points[rows], other.points[columns])
    source = one.points[rows, :2].astype(np.float64)
    target = other.points[columns, :2].astype(np.float64)
    for step in _STEPS:
        agree &= _apart(rows, columns, agree)
        if agree.sum() < _FEWEST:
            return None
        matrix = _affine(source[agree], target[agree])
        agree = np.hypot(*(_moved(source, matrix) - target).T) <= step
    agree &= _apart(rows, columns, agree)
    if agree.sum() < _FEWEST or not _plausible(matrix):
        return None
    return Fit(matrix, rows[agree], columns[agree])


def _matches(one: Bytes, other: Bytes) -> tuple[Int64s, Int64s]:
    """Indices of features that are near each other's, the nearest first."""
    a, b = one.astype(np.float32), other.astype(np.float32)
    # Exact: see `features`.
    squares: Floats = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * (a @ b.T)
    count = min(_NEIGHBOURS, len(other))
    columns = np.argpartition(squares, count - 1, axis=1)[:, :count].ravel()
    rows = np.repeat(np.arange(len(one)), count)
    nearest = np.lexsort((columns, rows, squares[rows, columns]))[:_MATCHES]
    return rows[nearest], columns[nearest]


def _most_agreed(source: Floats, target: Floats) -> NDArray[np.bool_]:
    """The matches that agree with the one with which most do."""
    size = target[:, 2] / source[:, 2]
    turn = target[:, 3] - source[:, 3]
    a, b = size * np.cos(np.radians(turn)), size * np.sin(np.radians(turn))
    x, y = source[:, 0], source[:, 1]
    # By row what one match says of all the others.
    off_x = np.outer(a, x) - np.outer(b, y)
    off_x += (target[:, 0] - np.diagonal(off_x))[:, None] - target[:, 0]
    off_y = np.outer(b, x) + np.outer(a, y)
    off_y += (target[:, 1] - np.diagonal(off_y))[:, None] - target[:, 1]
    octave = np.log2(size)
    agree = off_x**2 + off_y**2 <= _ROUGHLY**2
    agree &= np.abs(octave[:, None] - octave) <= _OCTAVES
    agree &= np.abs((turn[:, None] - turn + 180) % 360 - 180) <= _DEGREES
    best: NDArray[np.bool_] = agree[agree.sum(axis=1).argmax()]
    return best


def _apart(rows: Int64s, columns: Int64s, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of some matches that are the nearest of both their features."""
    (chosen,) = np.nonzero(among)
    first = np.zeros(len(rows), bool)
    once = chosen[np.unique(rows[chosen], return_index=True)[1]]
    first[once[np.unique(columns[once], return_index=True)[1]]] = True
    return first


def _affine(source: Matrix, target: Matrix) -> Matrix:
    """By least squares."""
    known = np.c_[source, np.ones(len(source))]
    return np.asarray(np.linalg.lstsq(known, target, rcond=None)[0].T, np.float64)


def _moved(points: Matrix, matrix: Matrix) -> Matrix:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _plausible(matrix: Matrix) -> bool:
    """Whether it is not mirrored, nor squeezed more than a camera would see it."""
    sizes = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(np.linalg.det(matrix[:, :2]) > 0 and sizes[1] > 0.1 and sizes[0] < 3 * sizes[1])
