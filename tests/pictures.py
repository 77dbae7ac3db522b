"""Photographs to upload, and what is no photograph."""

import base64
import io
from importlib.metadata import distribution
from pathlib import Path

from PIL import Image

# scikit-learn is installed for these two files; importing it would take seconds.
_IMAGES = Path(str(distribution("scikit-learn").locate_file("sklearn/datasets/images")))
CHINA = (_IMAGES / "china.jpg").read_bytes()
FLOWER = (_IMAGES / "flower.jpg").read_bytes()
# Both of them.
WIDTH, HEIGHT = 640, 427


def base64_of(data: bytes) -> str:
    """Standard base64 on one line."""
    return base64.b64encode(data).decode()


def drawn(kind: str = "JPEG", size: tuple[int, int] = (8, 8)) -> bytes:
    """A small picture in any format that Pillow writes."""
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


def heatmap() -> bytes:
    """A heatmap as the worker stores it: held on the right side alone."""
    file = io.BytesIO()
    Image.frombytes("L", (64, 43), (bytes(32) + b"\xff" * 32) * 43).save(file, "PNG")
    return file.getvalue()


HEATMAP = heatmap()
