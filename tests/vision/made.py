"""Pictures made for a purpose, and photographs."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..pictures import CHINA, FLOWER

SIZE = 480, 640
WORDS = (
    "Numbers of features say little about whether a camera finds a picture again. What says it is "
    "trying, from near and afar, from the front and the side, in good light and in bad. "
) * 9


def jpeg_of(image, quality=90):
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def pixels_of(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


# Parts of two photographs that have something everywhere.
TEMPLE = pixels_of(CHINA)[60:, 100:]
STAIRS = pixels_of(CHINA)[100:, :420]
PETALS = pixels_of(FLOWER)[:400, 120:520]
PHOTOGRAPHS = {"temple": TEMPLE, "stairs": STAIRS, "petals": PETALS}


def plain(tone=230):
    return np.full(SIZE, tone, np.uint8)


def grey(image, width, height):
    return cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (width, height), cv2.INTER_AREA)


def noise(width, height, seed=1):
    """Spots of all tones, of some six pixels."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 6 + 2, width // 6 + 2)).astype(np.uint8)
    return cv2.resize(coarse, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)[:height, :width]


def disc():
    return cv2.circle(plain(), (320, 240), 150, 40, -1, cv2.LINE_AA)


def slope():
    return np.tile(np.linspace(20, 240, SIZE[1]).astype(np.uint8), (SIZE[0], 1))


def banner():
    return np.vstack([plain(40)[:240], plain(200)[240:]])


def cornered(image, corner, size=200):
    """A picture in one corner of a plain one."""
    canvas = plain()
    rows = slice(0, size * 3 // 4) if corner in (0, 1) else slice(SIZE[0] - size * 3 // 4, None)
    columns = slice(0, size) if corner in (0, 2) else slice(SIZE[1] - size, None)
    canvas[rows, columns] = grey(image, size, size * 3 // 4)
    return canvas


def tiled(tile):
    down, across = (-(-side // of) for side, of in zip(SIZE, tile.shape, strict=True))
    return np.tile(tile, (down, across))[: SIZE[0], : SIZE[1]]


def chessboard(side):
    return tiled(np.kron([[255, 0], [0, 255]], np.ones((side, side))).astype(np.uint8))


def bricks():
    tile = np.full((64, 96), 150, np.uint8)
    tile[:4], tile[32:36], tile[:32, :4], tile[32:, 48:52] = 220, 220, 220, 220
    return tiled(tile)


def dots():
    return tiled(cv2.circle(np.full((60, 60), 240, np.uint8), (30, 30), 15, 60, -1, cv2.LINE_AA))


def faded(image, tones):
    """With so many tones around the middle."""
    return np.clip(128 + (image.astype(np.float32) - 128) * tones / 255, 0, 255).astype(np.uint8)


def moved(image, length):
    kernel = np.zeros((length, length), np.float32)
    np.fill_diagonal(kernel, 1 / length)
    return cv2.filter2D(image, -1, kernel)


def enlarged(image, times):
    small = cv2.resize(image, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)


def sized(image, width):
    return cv2.resize(image, (width, width * image.shape[0] // image.shape[1]), cv2.INTER_AREA)


def half_plain(image, side):
    half = image.copy()
    height, width = image.shape[:2]
    part = {
        "top": np.s_[: height * 6 // 10],
        "bottom": np.s_[height * 4 // 10 :],
        "left": np.s_[:, : width * 6 // 10],
        "right": np.s_[:, width * 4 // 10 :],
    }[side]
    half[part] = 200
    return half


def text(size, ink=0, paper=255):
    image = Image.new("L", SIZE, paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    line, width, y = "", SIZE[0] - 60, 30
    for word in WORDS.split():
        if draw.textlength(f"{line} {word}", font) > width:
            draw.text((30, y), line, ink, font)
            line, y = "", y + size * 1.25
            if y > SIZE[1] - 30 - size:
                break
        line = f"{line} {word}".strip()
    return np.asarray(image)


def drawing(seed=3):
    """Lines and circles on white."""
    random = np.random.default_rng(seed)
    canvas = plain(255)
    for _ in range(25):
        points = random.integers(20, (620, 460), (2, 2)).tolist()
        cv2.line(canvas, points[0], points[1], 0, 2, cv2.LINE_AA)
        cv2.circle(canvas, points[0], int(random.integers(15, 70)), 0, 2, cv2.LINE_AA)
    return canvas
