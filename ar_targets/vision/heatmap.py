"""Where a picture is held: where the inliers of its views fell."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .trial import VIEWS, Trial

LONG_SIDE = 64
# So many inliers a view, within the weight of one blurred cell, are as good as it gets.
ENOUGH = 1.0
# Of the blur, in pixels of the heatmap.
BLUR = 2.5


def heat(trial: Trial) -> NDArray[np.float32]:
    """0…1 for each pixel of the heatmap."""
    height, width = trial.grey.shape
    factor = LONG_SIDE / max(width, height)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    counts = np.zeros(size, np.float32)
    for inliers in trial.found:
        x, y = (inliers * factor).astype(int).T
        np.add.at(counts, (np.clip(y, 0, size[0] - 1), np.clip(x, 0, size[1] - 1)), 1)
    # Inliers a view in the neighbourhood of each pixel.
    density = cv2.GaussianBlur(counts, (0, 0), BLUR, borderType=cv2.BORDER_CONSTANT)
    a_view = density * (2 * np.pi * BLUR**2 / VIEWS)
    return np.asarray(np.minimum(a_view / ENOUGH, 1), np.float32)


def png(warmth: NDArray[np.float32]) -> bytes:
    """As a grey PNG."""
    coded = cv2.imencode(".png", np.rint(warmth * 255).astype(np.uint8))[1]
    return coded.tobytes()
