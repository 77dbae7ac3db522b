"""Pictures, and changes that leave them the same to a camera, or not."""

import cv2
import numpy as np

from ar_targets.vision.features import FeatureSet, extract
from tests.pictures import CHINA, FLOWER


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def features(picture) -> FeatureSet:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    height, width = grey.shape
    return extract(grey, width, height)


CHINESE = decoded(CHINA)
FLOWERS = decoded(FLOWER)


def drawn(seed, shapes=60):
    """A picture with as many shapes as one likes: few are a logo, many a poster."""
    chance = np.random.default_rng(seed)
    picture = np.full((400, 600, 3), 255, np.uint8)
    for _ in range(shapes):
        x, y = (int(value) for value in chance.integers(0, (600, 400)))
        colour = [int(value) for value in chance.integers(0, 256, 3)]
        size = [int(value) for value in chance.integers(10, 80, 2)]
        if chance.random() < 0.5:
            cv2.ellipse(picture, (x, y), size, 0, 0, 360, colour, -1)
        else:
            cv2.rectangle(picture, (x, y), (x + size[0], y + size[1]), colour, -1)
    return picture


def turned(picture, degrees):
    """Turned about its middle, on white, with nothing cut off."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(height * sine + width * cosine), round(height * cosine + width * sine)
    turn[:, 2] += size[0] / 2 - width / 2, size[1] / 2 - height / 2
    return cv2.warpAffine(picture, turn, size, borderValue=(255, 255, 255))


def resized(picture, factor):
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def compressed(picture, quality):
    return decoded(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def cropped(picture, share):
    """The part of this share of the area that is at the lower right."""
    height, width = picture.shape[:2]
    return picture[round(height * (1 - share**0.5)) :, round(width * (1 - share**0.5)) :]


def recoloured(picture):
    return np.clip(picture[:, :, ::-1] * (0.9, 0.7, 1.1) + 10, 0, 255).astype(np.uint8)


def bordered(picture):
    return cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(20, 60, 0))


def captioned(picture):
    picture = picture.copy()
    picture[-len(picture) // 5 :] = 255
    cv2.putText(picture, "Summer Sale", (20, len(picture) - 20), 0, 2, (0, 0, 0), 3)
    return picture


COPIES = {
    "compressed": lambda picture: compressed(picture, 30),
    "half the size": lambda picture: resized(picture, 0.5),
    "a quarter": lambda picture: resized(picture, 0.25),
    "twice the size": lambda picture: cv2.resize(picture, None, fx=2, fy=2),
    "recoloured": recoloured,
    "grey": lambda picture: cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY),
    "turned by 90": np.rot90,
    "turned by 180": lambda picture: np.rot90(picture, 2),
    "turned by 5": lambda picture: turned(picture, 5),
    "bordered": bordered,
    "captioned": captioned,
    "a crop to 0.9": lambda picture: cropped(picture, 0.9),
    "a crop to 0.5": lambda picture: cropped(picture, 0.5),
}
