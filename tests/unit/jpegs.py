"""Small JPEGs, made on the spot."""

import io

from PIL import Image


def jpeg(mode: str = "RGB", size: tuple[int, int] = (61, 47), **options: object) -> bytes:
    """A JPEG with some texture; ``options`` are Pillow's."""
    return encoded(Image.effect_noise(size, 40).convert(mode), **options)


def encoded(picture: Image.Image, **options: object) -> bytes:
    """The JPEG of a picture."""
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()
