"""Converts pictures in other formats to JPEG, with Pillow where it is installed."""

import importlib.util
import io
import struct
import threading
import warnings
from typing import TYPE_CHECKING

from .errors import ClientError

if TYPE_CHECKING:
    from PIL import Image

INSTALL = "pip install 'ar-targets-client[convert]'"
# Suffixes of the files that can be converted.
SUFFIXES = frozenset({".png", ".webp", ".heic", ".heif"})
# The formats by which Pillow may read a file, and no other of its many decoders.
DECODERS = ("PNG", "WEBP", "HEIF")
# The major brands of HEIC (ISO 23008-12).
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
QUALITY = 95
# Modes of Pillow that are shades of grey.
GREY = frozenset({"1", "L", "LA", "I", "F"})
# Pictures are decoded one after the other: each takes up to some hundred MB.
_DECODING = threading.Lock()


class ConversionError(ClientError):
    """A picture cannot be converted."""


def kind_of(data: bytes) -> str | None:
    """The format of a picture that can be converted, by its first bytes; else None."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return "HEIC" if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS else None


def require() -> None:
    """Raise ConversionError if Pillow is not installed."""
    if importlib.util.find_spec("PIL") is None:
        raise ConversionError(f"to convert pictures, install Pillow: {INSTALL}")


def to_jpeg(data: bytes) -> bytes:
    """The picture as a JPEG, upright, on white where it is transparent.

    Of an animation, it is the first picture. The same bytes give the same JPEG, as long as Pillow
    is of the same version. EXIF data, such as where a photograph was taken, is left out.
    Raises ConversionError.
    """
    require()
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # an extra

    if kind_of(data) == "HEIC":
        register_heic()
    try:
        with _DECODING, warnings.catch_warnings():
            # A small file may claim to be a huge picture.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=DECODERS) as opened:
                return encoded(opened)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ConversionError(
            f"it cannot be converted: it has more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        ) from None
    except UnidentifiedImageError:
        raise ConversionError("it cannot be converted: it is broken") from None
    # What Pillow's decoders raise for files that are broken.
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, struct.error) as broken:
        raise ConversionError(f"it cannot be converted: {broken}") from None


def register_heic() -> None:
    """Let Pillow read HEIC. Raises ConversionError if pillow-heif is not installed."""
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415  # an extra
    except ImportError:
        raise ConversionError(f"to convert HEIC, install pillow-heif: {INSTALL}") from None
    register_heif_opener()


def encoded(opened: "Image.Image") -> bytes:
    """An opened picture as a JPEG."""
    from PIL import Image, ImageOps  # noqa: PLC0415  # an extra

    image = ImageOps.exif_transpose(opened)
    # Only that of a picture in RGB fits what is written.
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    if image.mode.startswith("I;16"):
        # Its upper eight bits.
        image = image.point(lambda shade: shade / 256).convert("L")
    grey = image.mode in GREY
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    file = io.BytesIO()
    image.convert("L" if grey else "RGB").save(file, "JPEG", quality=QUALITY, icc_profile=profile)
    return file.getvalue()
