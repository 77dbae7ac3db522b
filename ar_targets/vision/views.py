"""The simulated views: how the camera of an app would see the picture.

Each puts the picture somewhere into a frame of 640 × 480, tilted, turned, near or far, before
other things, covered in part, in other light, out of focus or moved, noisy, and coded as a JPEG.
All of it comes from one seed: each picture is seen in the same views, on every run.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .picture import Grey

Matrix = NDArray[np.float64]

WIDTH, HEIGHT = 640, 480
# Of a phone's camera: some 56 degrees across.
FOCAL = 600.0
# Background and noise are larger than a frame, so that each view takes another part.
MARGIN = 128


@dataclass(frozen=True, slots=True)
class View:
    """One view. Lengths are in pixels of the frame where not said otherwise, angles in radians."""

    size: float  # of the picture's long side, were it not tilted
    tilt: float
    tilted_about: float  # direction in the picture
    roll: float
    place: tuple[float, float]  # of its middle in what room there is, each −1…1
    covered: float  # share of the picture
    covered_place: tuple[float, float]  # 0…1
    gain: float
    gradient: tuple[float, float]  # how light changes across the frame
    blur: float
    motion: int
    motion_angle: float
    noise: float
    quality: int
    part: tuple[int, int]  # of background and noise

    def homography(self, width: int, height: int) -> Matrix:
        """From a picture's pixels to the frame's."""
        axis = np.array([np.cos(self.tilted_about), np.sin(self.tilted_about), 0.0]) * self.tilt
        turned = cv2.Rodrigues(np.array([0.0, 0.0, self.roll]))[0] @ cv2.Rodrigues(axis)[0]
        # The camera is at the distance at which the picture has its size; lengths are its pixels.
        scale = max(width, height) / self.size
        room = [max(0.0, side - self.size) / 2 for side in (WIDTH, HEIGHT)]
        middle = [scale * at * free for at, free in zip(self.place, room, strict=True)]
        plane = np.column_stack([turned[:, 0], turned[:, 1], [*middle, FOCAL * scale]])
        camera = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
        centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
        return np.asarray(camera @ plane @ centred, np.float64)

    def frame(self, grey: Grey) -> Grey:
        """What the camera sees of a picture."""
        shown = self.cover(shrunk(grey, self.size))
        height, width = shown.shape
        frame = self.crop(background()).copy()
        cv2.warpPerspective(
            shown,
            self.homography(width, height),
            (WIDTH, HEIGHT),
            dst=frame,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        return self.taken(frame)

    def cover(self, grey: Grey) -> Grey:
        """With something in front of it."""
        height, width = grey.shape
        across, down = (round(side * self.covered**0.5) for side in (width, height))
        x, y = (
            round(at * free)
            for at, free in zip(self.covered_place, (width - across, height - down), strict=True)
        )
        covered = grey.copy()
        covered[y : y + down, x : x + across] = background()[:down, :across]
        return covered

    def taken(self, scene: Grey) -> Grey:
        """By the lens and the sensor, in its light, as a JPEG."""
        across = np.linspace(1 - self.gradient[0], 1 + self.gradient[0], WIDTH, dtype=np.float32)
        along = np.linspace(1 - self.gradient[1], 1 + self.gradient[1], HEIGHT, dtype=np.float32)
        light = along[:, None] * (across * np.float32(self.gain))
        frame = cv2.multiply(scene, light, dtype=cv2.CV_8U)
        frame = cv2.GaussianBlur(frame, (0, 0), self.blur)
        if self.motion > 1:
            frame = cv2.filter2D(frame, -1, streak(self.motion, self.motion_angle))
        grain = self.crop(noise())
        # Noise is around 128, with a deviation of 32.
        frame = cv2.addWeighted(frame, 1, grain, self.noise / 32, -4 * self.noise)
        coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)

    def crop(self, larger: Grey) -> Grey:
        """A part of the frame's size."""
        x, y = self.part
        return larger[y : y + HEIGHT, x : x + WIDTH]


def shrunk(grey: Grey, size: float) -> Grey:
    """To the size at which it is seen, averaged as a lens does, and not dropping pixels."""
    height, width = grey.shape
    factor = size / max(width, height)
    if factor >= 1:
        return grey
    smaller = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(grey, smaller, interpolation=cv2.INTER_AREA), np.uint8)


def streak(length: int, angle: float) -> NDArray[np.float32]:
    """The kernel of motion blur."""
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    for step in np.linspace(-middle, middle, 2 * length):
        y, x = middle + step * np.sin(angle), middle + step * np.cos(angle)
        kernel[round(y), round(x)] = 1
    return np.asarray(kernel / kernel.sum(), np.float32)


@cache
def background() -> Grey:
    """Things without meaning, of all sizes: noise on four scales."""
    random = np.random.default_rng(7)
    height, width = HEIGHT + MARGIN, WIDTH + MARGIN
    scene = np.full((height, width), 115, np.float32)
    for cell, strength in ((96, 45), (32, 22), (12, 12), (4, 7)):
        coarse = random.normal(0, strength, (height // cell + 2, width // cell + 2))
        scene += cv2.resize(coarse.astype(np.float32), (width, height))
    return np.clip(scene, 0, 255).astype(np.uint8)


@cache
def noise() -> Grey:
    """A sensor's, around 128, with a deviation of 32."""
    grain = np.random.default_rng(8).normal(128, 32, (HEIGHT + MARGIN, WIDTH + MARGIN))
    return np.clip(grain, 0, 255).astype(np.uint8)


def drawn(seed: int, count: int) -> tuple[View, ...]:
    """Views from a seed. Size and tilt are spread evenly over their ranges, all else is chance."""
    random = np.random.default_rng(seed)

    def spread(low: float, high: float) -> NDArray[np.float64]:
        share = (random.permutation(count) + random.random(count)) / count
        return low + (high - low) * share

    def two(low: float, high: float) -> tuple[float, float]:
        return float(random.uniform(low, high)), float(random.uniform(low, high))

    return tuple(
        View(
            size=float(size),
            tilt=float(tilt),
            tilted_about=float(random.uniform(0, 2 * np.pi)),
            roll=float(random.uniform(-np.pi, np.pi)),
            place=two(-1, 1),
            covered=float(random.uniform(0, 0.3)) if random.random() < 0.5 else 0.0,
            covered_place=two(0, 1),
            gain=float(random.uniform(0.5, 1.3)),
            gradient=two(-0.3, 0.3),
            blur=float(random.uniform(0.4, 1.3)),
            motion=int(random.integers(1, 7)),
            motion_angle=float(random.uniform(0, np.pi)),
            noise=float(random.uniform(2, 7)),
            quality=int(random.integers(40, 91)),
            part=(int(random.integers(0, MARGIN)), int(random.integers(0, MARGIN))),
        )
        for size, tilt in zip(spread(0.3 * WIDTH, WIDTH), spread(0, np.radians(50)), strict=True)
    )
