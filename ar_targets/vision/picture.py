"""A picture as all of `vision` sees it: grey, and no larger than is looked at."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images.jpeg import JpegError, prove

Grey = NDArray[np.uint8]

# Nothing looks at more than this many pixels of the long side. libjpeg decodes to a half, a
# quarter or an eighth at once, in a fraction of the time: the smallest that is still this long.
ENOUGH = 800
REDUCED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: cv2.IMREAD_GRAYSCALE,
}
# The database holds no larger ones (`images.jpeg` has the setting's limit at the upload).
MAX_PIXELS = 1 << 30


class PictureError(ValueError):
    """The bytes cannot be decoded, and will not be at the next attempt either."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """`grey` may be smaller than the picture, of whose pixels `width` and `height` are."""

    grey: Grey
    width: int
    height: int

    def scaled(self, long_side: int) -> Grey:
        """With this long side, or as it is where that is shorter."""
        height, width = self.grey.shape
        factor = long_side / max(width, height)
        if factor >= 1:
            return self.grey
        size = max(1, round(width * factor)), max(1, round(height * factor))
        return np.asarray(cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def decode(jpeg: bytes) -> Picture:
    """Decode a JPEG as it is stored: trackers do not turn it as EXIF says, either.

    Raises PictureError.
    """
    try:
        proof = prove(jpeg, MAX_PIXELS)
    except JpegError as error:
        raise PictureError(str(error)) from error
    long_side = max(proof.width, proof.height)
    factor = next(factor for factor in REDUCED if factor == 1 or long_side >= factor * ENOUGH)
    flags = REDUCED[factor] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags)
    except cv2.error as error:
        raise PictureError(f"it cannot be decoded: {error.err}") from error
    if grey is None:
        raise PictureError("it cannot be decoded")
    return Picture(np.asarray(grey, np.uint8), proof.width, proof.height)
