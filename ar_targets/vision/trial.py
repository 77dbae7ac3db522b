"""Looks for a picture in the simulated views, as a tracker would."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from .measurements import TEXT, Points, flatness, strokes, twins
from .picture import Grey
from .views import Matrix, View, drawn

# Of the picture, in pixels: MindAR's users are told to compile some 500.
LONG_SIDE = 480
FEATURES = 800
# Of FAST, in tones. A fainter corner is lost in a camera's noise.
CORNER = 10
SEED, VIEWS = 24, 36
# In a view, a point counts as recognised whose best match is so much better than the next one.
RATIO = 0.75
# Of RANSAC, in pixels of the frame.
THRESHOLD = 4.0
# A view counts as found when all corners are where they are, but for so many pixels of its frame,
# and so many places of the picture have been recognised, each a square of so many pixels.
CORNERS = 8.0
PLACES, PLACE = 12, 16
# In a picture that is flat, or whose points are alike, a tracker needs up to so many times more
# of them: its descriptors look at more than a corner, see noise in what is flat, and mistake what
# repeats. Not in text, which is all flat in this sense, and yet found. Without the first, clip art
# is judged too rosily, without the second, text too darkly (`docs/vision.md`).
STRICTER = 2.0
# Of a side: ORB describes what is 31 pixels around a point, and OpenCV's fails on less than this.
SMALLEST = 32


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Of one picture: its features and the inliers of each view in which it was found."""

    grey: Grey
    points: Points
    descriptors: Grey
    found: tuple[Points, ...]

    @property
    def share(self) -> float:
        """Of the views in which it was found."""
        return len(self.found) / VIEWS


def try_views(grey: Grey) -> Trial:
    """`grey` has a long side of `LONG_SIDE`, or less."""
    orb = finder()
    points, descriptors = features_of(orb, grey)
    needed = places_needed(grey, points, descriptors)
    tried = (find(orb, grey, view, points, descriptors, needed) for view in views())
    found = tuple(inliers for inliers in tried if inliers is not None)
    return Trial(grey, points, descriptors, found)


def places_needed(grey: Grey, points: Points, descriptors: Grey) -> float:
    """Places to be recognised, for a view to count."""
    if strokes(grey).share >= TEXT:
        return PLACES
    return PLACES * (1 + STRICTER * (flatness(grey) + twins(points, descriptors).share))


@cache
def views() -> tuple[View, ...]:
    """Those of the score."""
    return drawn(SEED, VIEWS)


def finder() -> cv2.ORB:
    """Finds corners and describes them."""
    return cv2.ORB.create(nfeatures=FEATURES, fastThreshold=CORNER)


def features_of(orb: cv2.ORB, grey: Grey) -> tuple[Points, Grey]:
    """The places and descriptors of corners; none where it is smaller than one's surroundings."""
    nothing = np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    if min(grey.shape) < SMALLEST:
        return nothing
    keypoints, descriptors = orb.detectAndCompute(grey, None)
    if descriptors is None:
        return nothing
    return np.array([k.pt for k in keypoints], np.float32), np.asarray(descriptors, np.uint8)


def find(
    orb: cv2.ORB, grey: Grey, view: View, points: Points, descriptors: Grey, needed: float
) -> Points | None:
    """The points of the picture that hold it in a view; None where it is not found."""
    if len(points) < needed:
        return None
    seen, of_frame = features_of(orb, view.frame(grey))
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(of_frame, descriptors, k=2)
    good = [best for best, second in pairs if best.distance < RATIO * second.distance]
    if len(good) < needed:
        return None
    source = points[[match.trainIdx for match in good]]
    target = seen[[match.queryIdx for match in good]]
    estimated, mask = cv2.findHomography(source, target, consensus())
    if estimated is None:
        return None
    inliers = source[mask.ravel().astype(bool)]
    places = np.unique((inliers / PLACE).astype(int), axis=0)
    if len(places) < needed:
        return None
    return inliers if corners_off(grey, view, np.asarray(estimated)) <= CORNERS else None


def consensus() -> cv2.UsacParams:
    """RANSAC in one thread, with a seed of its own at each call."""
    params = cv2.UsacParams()
    params.isParallel = False
    params.randomGeneratorState = 1
    params.sampler = cv2.SAMPLING_UNIFORM
    params.score = cv2.SCORE_METHOD_MSAC
    params.loMethod = cv2.LOCAL_OPTIM_INNER_LO
    params.threshold = THRESHOLD
    params.maxIterations = 1000
    params.confidence = 0.995
    return params


def corners_off(grey: Grey, view: View, matrix: Matrix) -> float:
    """The largest distance of a corner from where it is, in pixels of the frame."""
    height, width = grey.shape
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    there = cv2.perspectiveTransform(corners, view.homography(width, height))
    guessed = cv2.perspectiveTransform(corners, matrix)
    return float(np.linalg.norm(there - guessed, axis=2).max())
