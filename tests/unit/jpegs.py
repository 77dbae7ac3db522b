"""Small JPEGs, made on the spot, and some of 49 megapixels that are small on disk."""

import functools
import io
import re

from PIL import Image

# A scan's header (T.81, B.2.3) and its coded data, which ends before the next marker.
_SCAN = re.compile(rb"\xff\xda\0.*?(?=\xff[^\0\xd0-\xd7])", re.DOTALL)
# What a JPEG ends with.
END = b"\xff\xd9"


def jpeg(mode: str = "RGB", size: tuple[int, int] = (61, 47), **options: object) -> bytes:
    """A JPEG with some texture; ``options`` are Pillow's."""
    return encoded(Image.effect_noise(size, 40).convert(mode), **options)


def encoded(picture: Image.Image, **options: object) -> bytes:
    """The JPEG of a picture."""
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def scans(data: bytes) -> list[bytes]:
    """The scans of a JPEG that Pillow has written."""
    return [found[0] for found in _SCAN.finditer(data)]


def with_scans(data: bytes, count: int) -> bytes:
    """The JPEG with so many scans: its last one, which comes again and again."""
    made = scans(data)
    return data.removesuffix(END) + made[-1] * (count - len(made)) + END


@functools.cache
def blank() -> bytes:
    """A progressive JPEG of 49 megapixels, 191 KB and 6 scans."""
    return encoded(Image.new("L", (7000, 7000)), progressive=True)


@functools.cache
def costly(count: int) -> bytes:
    """49 megapixels in so many scans, most of 75 bytes, for each of which libjpeg takes 28 ms."""
    return with_scans(blank(), count)


@functools.cache
def arithmetic(count: int) -> bytes:
    """49 megapixels, arithmetic-coded (T.81, F.1.4) in so many scans of 75 bytes.

    Zeros for data stand for something at every bit; libjpeg takes up to 80 ms for a scan.
    """
    colour = encoded(Image.new("RGB", (7000, 7000)), progressive=True, subsampling=0)
    head = colour[: colour.index(b"\xff\xda")].replace(b"\xff\xc2", b"\xff\xca", 1)
    # A header's length is told by its third and fourth byte.
    made = [scan[: 2 + int.from_bytes(scan[2:4])] + bytes(64) for scan in scans(colour)]
    return head + b"".join(made) + made[-1] * (count - len(made)) + END
