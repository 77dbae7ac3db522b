"""The referee's camera, which is not that of the score: other code, seeds, backgrounds, effects.

Colour frames of 640 × 480: tilt up to 50 degrees, any roll, partly out of the frame, before
photographs, covered, with reflections, in other light, blurred, moved, noisy, as JPEGs.
"""

from dataclasses import dataclass

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 480
# MindAR's own: 45 degrees from top to bottom.
FOCAL = HEIGHT / 2 / np.tan(np.radians(22.5))


@dataclass(frozen=True, slots=True)
class Conditions:
    """How hard it is to see the picture."""

    smallest: float  # its long side, at least, as a share of the frame's width; at most 1
    off: float  # of its middle, as a share of the frame
    covered: float  # at most, as a share of the picture
    glare: float  # share of frames with a reflection
    blur: float
    motion: int
    noise: float


CONDITIONS = {
    "ordinary": Conditions(0.35, 0.2, 0.25, 0.15, 1.2, 5, 6),
    "hard": Conditions(0.2, 0.3, 0.4, 0.3, 1.6, 9, 9),
}


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame, and where the picture's corners are in it."""

    jpeg: bytes
    corners: list[list[float]]


def shoot(
    image: np.ndarray, backgrounds: list[np.ndarray], kind: Conditions, seed: int, views: int
) -> list[Shot]:
    """Several frames of a picture. Size and tilt are spread evenly over their ranges."""
    random = np.random.default_rng(seed)
    sizes = (random.permutation(views) + random.random(views)) / views
    sizes = kind.smallest + (1 - kind.smallest) * sizes
    tilts = np.radians((random.permutation(views) + random.random(views)) / views * 50)
    return [
        shot(image, backgrounds[random.integers(len(backgrounds))], random, kind, size, tilt)
        for size, tilt in zip(sizes, tilts, strict=True)
    ]


def shot(
    image: np.ndarray,
    background: np.ndarray,
    random: np.random.Generator,
    kind: Conditions,
    size: float,
    tilt: float,
) -> Shot:
    """One frame."""
    shown = size * WIDTH
    factor = min(1.0, shown / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    matrix = pose(random, kind, width, height, shown, tilt)
    scene = cv2.resize(background, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    covered = covering(small, scene, random, kind)
    cv2.warpPerspective(
        covered, matrix, (WIDTH, HEIGHT), dst=scene, borderMode=cv2.BORDER_TRANSPARENT
    )
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    there = cv2.perspectiveTransform(corners, matrix)[0]
    return Shot(sensed(scene, random, kind), there.tolist())


def pose(
    random: np.random.Generator,
    kind: Conditions,
    width: int,
    height: int,
    shown: float,
    tilt: float,
) -> np.ndarray:
    """From the picture's pixels to the frame's."""
    direction = random.uniform(0, 2 * np.pi)
    turn = cv2.Rodrigues(np.array([0, 0, random.uniform(-np.pi, np.pi)]))[0]
    lean = cv2.Rodrigues(tilt * np.array([np.cos(direction), np.sin(direction), 0]))[0]
    rotation = turn @ lean
    distance = FOCAL * max(width, height) / shown
    # Its middle stays in the frame, its edges need not.
    off = random.uniform(-kind.off, kind.off, 2) * (WIDTH, HEIGHT) * distance / FOCAL
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], [*off, distance]])
    camera = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    return camera @ plane @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])


def covering(
    image: np.ndarray, scene: np.ndarray, random: np.random.Generator, kind: Conditions
) -> np.ndarray:
    """In every other frame an ellipse hides a part of the picture."""
    height, width = image.shape[:2]
    share, at, hides = random.uniform(0.02, kind.covered), random.random(2), random.random() < 0.5
    if not hides:
        return image
    radii = np.array([width, height]) * np.sqrt(share / np.pi)
    mask = np.zeros((height, width), np.uint8)
    centre = (int(at[0] * width), int(at[1] * height))
    cv2.ellipse(mask, centre, (int(radii[0]) + 1, int(radii[1]) + 1), 0, 0, 360, 255, -1)
    other = cv2.resize(scene, (width, height))
    return np.where(mask[:, :, None] > 0, other, image)


def sensed(scene: np.ndarray, random: np.random.Generator, kind: Conditions) -> bytes:
    """Light, reflection, lens, movement, noise, JPEG."""
    x, y = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    slope = random.uniform(-0.35, 0.35, 2)
    light = random.uniform(0.5, 1.35) * (1 + slope[0] * x + slope[1] * y)
    frame = scene.astype(np.float32) * light[:, :, None]
    glare, at, width = (
        random.random() < kind.glare,
        random.uniform(-0.6, 0.6, 2),
        random.uniform(0.1, 0.4),
    )
    if glare:
        frame += 180 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / width**2)[:, :, None]
    frame = cv2.GaussianBlur(frame, (0, 0), random.uniform(0.3, kind.blur))
    length, angle = int(random.integers(1, kind.motion)), random.uniform(0, 180)
    kernel = np.zeros((9, 9), np.float32)
    kernel[4, 4 - length // 2 : 4 - length // 2 + length] = 1
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((4, 4), angle, 1), (9, 9))
    frame = cv2.filter2D(frame, -1, kernel / kernel.sum())
    frame += random.normal(0, random.uniform(2, kind.noise), frame.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(40, 91))]
    return cv2.imencode(".jpg", np.clip(frame, 0, 255).astype(np.uint8), quality)[1].tobytes()
