"""What is measured of the picture itself, to tell why it is hard to find."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .picture import Grey

# x, y, width, height in pixels of the picture that is looked at.
Box = tuple[int, int, int, int]
Points = NDArray[np.float32]

# A square of this side is flat when it has no more range than noise and JPEG leave.
FLAT_SIDE, FLAT_RANGE = 31, 16
# What an edge is close to is not flat.
NEAR_SIDE = 15
# Strokes of text and of line art are thinner than this, and differ so much from the paper.
STROKE, INK = 15, 40
# More of the picture than this is strokes where it is text or line art.
TEXT = 0.06
# Text is on paper: so much of that has one tone, and so much of it is seen between the strokes.
PAPER, BARE = 0.75, 0.4
# The edge of a picture is looked for within this; it has some share of the picture's contrast.
EDGE_SIDE, EDGE_SHARE, EDGE_LEAST = 13, 0.35, 12
# Fewer of them in one direction tell nothing.
EDGE_PIXELS = 0.002
# Bits of ORB's 256 by which two points differ at most that look alike, and how far apart they are.
ALIKE, ELSEWHERE = 28, 24


@dataclass(frozen=True, slots=True)
class Area:
    """A share of something, and where in the picture it is."""

    share: float
    box: Box


NOWHERE = Area(0.0, (0, 0, 0, 0))


def contrast(grey: Grey) -> float:
    """Between the darkest and the brightest, but for one in two hundred at each end: 0…255."""
    low, high = np.percentile(grey, [0.5, 99.5])
    return float(high - low)


def edge_width(grey: Grey) -> float:
    """Of the sharper edges: the standard deviation in pixels of the blur that made them so.

    A step blurred by it rises by its height in 2.5 deviations. It is measured in four directions,
    and the second worst counts: a camera that moved blurs along its way alone, and one direction
    may have nothing but gradients. Infinite where there is no edge.
    """
    least = max(EDGE_LEAST, EDGE_SHARE * contrast(grey))
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.7).astype(np.float32)
    across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
    widths = []
    for x, y, line in lines():
        heights = cv2.subtract(cv2.dilate(grey, line), cv2.erode(grey, line))
        edges = heights > least
        if edges.mean() < EDGE_PIXELS:
            continue
        slopes = np.abs(x * across + y * down) / math.hypot(x, y)
        steepness = np.percentile(cv2.dilate(slopes, line)[edges] / heights[edges], 75)
        widths.append(0.4 / max(float(steepness), 0.001))
    return sorted(widths)[-2:][0] if widths else math.inf


def lines() -> Iterator[tuple[int, int, Grey]]:
    """A direction and the pixels along it, in both ways."""
    level = np.zeros((EDGE_SIDE, EDGE_SIDE), np.uint8)
    level[EDGE_SIDE // 2] = 1
    falling = np.eye(EDGE_SIDE, dtype=np.uint8)
    yield 1, 0, level
    yield 0, 1, np.ascontiguousarray(level.T)
    yield 1, 1, falling
    yield 1, -1, np.ascontiguousarray(falling[::-1])


def flatness(grey: Grey) -> float:
    """The share of the picture that has nothing near it."""
    return float((local_range(grey, NEAR_SIDE) < FLAT_RANGE).mean())


def flat_area(grey: Grey) -> Area:
    """The largest connected area with nothing in it."""
    middles = local_range(grey, FLAT_SIDE) < FLAT_RANGE
    # Whole squares, not their middles alone.
    flat = cv2.dilate(middles.astype(np.uint8), np.ones((FLAT_SIDE, FLAT_SIDE), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    if len(stats) < 2:
        return NOWHERE
    largest = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    x, y, width, height, area = (int(number) for number in largest)
    return Area(area / grey.size, (x, y, width, height))


def strokes(grey: Grey) -> Area:
    """Thin strokes on paper of one tone; nowhere if there is anything else in the picture."""
    dark, bright = (thin(grey, way) for way in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN))
    return max(dark, bright, key=lambda area: area.share)


def thin(grey: Grey, operation: int) -> Area:
    """Strokes darker (closing) or brighter (opening) than the paper, which is what is left."""
    kernel = np.ones((STROKE, STROKE), np.uint8)
    paper = np.asarray(cv2.morphologyEx(grey, operation, kernel), np.uint8)
    off = cv2.absdiff(grey, paper)
    bare = (off < INK / 2).mean()
    if (np.abs(level(paper)) < INK / 2).mean() < PAPER or bare < BARE:
        return NOWHERE
    ink = off > INK
    return Area(float(ink.mean()), box_of(ink)) if ink.any() else NOWHERE


def level(grey: Grey) -> NDArray[np.float32]:
    """Less the plane that fits it best: without the light's slope over a photographed page."""
    small = cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    y, x = np.mgrid[0:16, 0:16].reshape(2, -1) / 15
    plane = np.linalg.lstsq(np.column_stack([x, y, np.ones(256)]), small, rcond=None)[0]
    height, width = grey.shape
    down, across = np.linspace(0, plane[1], height), np.linspace(0, plane[0], width)
    return np.asarray(grey - (down[:, None] + across + plane[2]), np.float32)


def crowd(points: Points, grey: Grey) -> Area:
    """The box of nine tenths of the points, and what share of 6 × 6 cells has as many of them."""
    height, width = grey.shape
    counts, _, _ = np.histogram2d(
        points[:, 1], points[:, 0], bins=6, range=[[0, height], [0, width]]
    )
    fullest = np.sort(counts.ravel())[::-1].cumsum()
    cells = int(np.searchsorted(fullest, 0.9 * len(points))) + 1
    return Area(cells / 36, box_within(points, 5))


def twins(points: Points, descriptors: Grey) -> Area:
    """Points that look like others elsewhere in the picture."""
    if not len(points):
        return NOWHERE
    bits = np.unpackbits(descriptors, axis=1).astype(np.float32)
    ones = bits.sum(axis=1)
    differences = ones[:, None] + ones - 2 * (bits @ bits.T)
    across, down = (np.abs(side[:, None] - side) for side in points.T)
    differences[np.maximum(across, down) < ELSEWHERE] = 256
    alike = (differences <= ALIKE).any(axis=1)
    if not alike.any():
        return NOWHERE
    return Area(float(alike.mean()), box_within(points[alike], 2))


def local_range(grey: Grey, side: int) -> Grey:
    """Brightest less darkest in the square around each pixel."""
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.subtract(cv2.dilate(grey, kernel), cv2.erode(grey, kernel)), np.uint8)


def box_of(mask: NDArray[np.bool_]) -> Box:
    """Around all that is set."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, width, height


def box_within(points: Points, percent: float) -> Box:
    """Around the points, without the outermost at each side."""
    (left, top), (right, bottom) = np.percentile(points, [percent, 100 - percent], axis=0)
    return int(left), int(top), max(1, round(right - left)), max(1, round(bottom - top))
