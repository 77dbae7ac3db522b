"""Looks for a picture in the simulated views, as a tracker would."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .picture import Grey
from .views import Matrix, View, drawn

# Of the picture's long side; what trackers look at (MindAR's largest tracking image has 256, its
# matching images all scales up to the picture's own).
LONG_SIDE = 480
FEATURES = 800
SEED, VIEWS = 24, 24
# A view counts as found with this many inliers, its corners within so many pixels of the frame.
INLIERS = 12
CORNERS = 12.0
RATIO = 0.8
THRESHOLD = 4.0
# Of a side: ORB describes what is 31 pixels around a point, and OpenCV's fails on less than this.
SMALLEST = 32

Points = NDArray[np.float32]


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
    finder = cv2.ORB.create(nfeatures=FEATURES, fastThreshold=5)
    points, descriptors = features_of(finder, grey)
    found = []
    for view in views():
        inliers = find(finder, grey, view, points, descriptors)
        if inliers is not None:
            found.append(inliers)
    return Trial(grey, points, descriptors, tuple(found))


@cache
def views() -> tuple[View, ...]:
    """Those of the score."""
    return drawn(SEED, VIEWS)


def features_of(finder: cv2.ORB, grey: Grey) -> tuple[Points, NDArray[np.uint8]]:
    """The places and descriptors of corners; none where it is smaller than one's surroundings."""
    nothing = np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    if min(grey.shape) < SMALLEST:
        return nothing
    keypoints, descriptors = finder.detectAndCompute(grey, None)
    if descriptors is None:
        return nothing
    return np.array([k.pt for k in keypoints], np.float32), np.asarray(descriptors, np.uint8)


def find(
    finder: cv2.ORB, grey: Grey, view: View, points: Points, descriptors: NDArray[np.uint8]
) -> Points | None:
    """The points of the picture that hold it in a view; None where it is not found."""
    if len(points) < INLIERS:
        return None
    seen, of_frame = features_of(finder, view.frame(grey))
    if len(seen) < INLIERS:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(of_frame, descriptors, k=2)
    good = [best for best, second in pairs if best.distance < RATIO * second.distance]
    if len(good) < INLIERS:
        return None
    source = points[[match.trainIdx for match in good]]
    target = seen[[match.queryIdx for match in good]]
    estimated, mask = cv2.findHomography(source, target, consensus())
    if estimated is None:
        return None
    matrix = np.asarray(estimated, np.float64)
    inliers = source[mask.ravel().astype(bool)]
    if len(np.unique(inliers, axis=0)) < INLIERS:
        return None
    return inliers if corners_off(grey, view, matrix) <= CORNERS else None


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
