"""The pictures: photographs, art, clip art and text, from packages that anybody can fetch.

Nothing is installed: Debian's packages and a wheel are downloaded and unpacked into a folder.
"""

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

PHOTOGRAPHS = (
    "gnome-backgrounds",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
    "lomiri-wallpapers-16.04",
    "ukui-wallpapers",
)
ART, CLIP_ART = "gcompris-qt-data", "openclipart-png"
WHEEL = "scikit-image==0.26.0"
# Of each kind, those with the lowest hashes.
QUOTA = {"photograph": 60, "art": 48, "clip art": 60, "text": 24}
# Other photographs, before which the referee sees them.
BACKGROUNDS = 16
TEXTS = ("page.png", "text.png")
# As large as pictures are uploaded, at least; and large enough for every look at them.
LONGEST, SHORTEST = 1280, 160
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture. One half, chosen by its hash, is for tuning, the other for judging."""

    kind: str
    name: str
    jpeg: bytes
    sha256: str

    @property
    def half(self) -> str:
        """Either tuned or judged."""
        return "tuned" if int(self.sha256[-1], 16) % 2 else "judged"


def samples(folder: Path) -> tuple[list[Sample], list[Sample]]:
    """Those to judge and those for backgrounds: always the same ones in the same order."""
    fetch(folder)
    found: dict[str, dict[str, Sample]] = {kind: {} for kind in QUOTA}
    for kind, name, image in images(folder):
        if image is None or max(image.shape[:2]) < SHORTEST:
            continue
        jpeg = jpeg_of(image)
        sample = Sample(kind, name, jpeg, hashlib.sha256(jpeg).hexdigest())
        found[kind].setdefault(sample.sha256, sample)
    chosen, others = [], []
    for kind, quota in QUOTA.items():
        ordered = [found[kind][sha256] for sha256 in sorted(found[kind])]
        chosen += ordered[:quota]
        others += ordered[quota:] if kind == "art" else []
    return chosen, others[:BACKGROUNDS]


def fetch(folder: Path) -> None:
    """Download and unpack what is not there yet."""
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    for package in (*PHOTOGRAPHS, ART, CLIP_ART):
        if not (folder / package).exists():
            subprocess.run(["apt-get", "download", "-q", package], cwd=packages, check=True)
            (archive,) = packages.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
    if not (folder / "wheel").exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--only-binary=:all:", "-d", packages, WHEEL], check=True)
        (archive,) = packages.glob("scikit_image-*.whl")
        zipfile.ZipFile(archive).extractall(folder / "wheel")


def images(folder: Path) -> Iterator[tuple[str, str, np.ndarray | None]]:
    """Kind, name and pixels of all that the packages have."""
    for package in (*PHOTOGRAPHS, "wheel"):
        for path in sorted((folder / package).rglob("*")):
            if path.suffix in SUFFIXES and path.stat().st_size > 15_000 and not copied(path):
                kind = "text" if path.name in TEXTS else "photograph"
                yield kind, f"{package}/{path.name}", opened(path.read_bytes())
    for path in lowest((folder / CLIP_ART).rglob("*.png"), 4 * QUOTA["clip art"]):
        yield "clip art", f"{CLIP_ART}/{path.name}", opened(path.read_bytes())
    for name in ("paintings", "explore_monuments", "details"):
        (path,) = (folder / ART).rglob(f"{name}.rcc")
        for number, data in enumerate(resources(path.read_bytes())):
            yield "art", f"{ART}/{name}/{number}", opened(data)
    yield from pages(folder)


def copied(path: Path) -> bool:
    """Whether another file is the same picture: KDE's wallpapers come in many shapes."""
    if "contents" not in path.parts:
        return False
    return path.parent.name != "images" or path != min(path.parent.iterdir())


def lowest(paths: Iterator[Path], count: int) -> list[Path]:
    """By the hash of their names, without opening thousands."""
    return sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())[:count]


def resources(data: bytes) -> Iterator[bytes]:
    """The pictures in a file of Qt's resources, each with its size before it."""
    for match in re.finditer(rb"\xff\xd8\xff|RIFF....WEBP", data, re.DOTALL):
        size = int.from_bytes(data[match.start() - 4 : match.start()])
        if 15_000 < size <= len(data) - match.start():
            yield data[match.start() : match.start() + size]


def opened(data: bytes) -> np.ndarray | None:
    """In colours, on white where it is transparent."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8:
        return None
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        alpha = image[:, :, 3:].astype(np.float32) / 255
        return np.rint(image[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return image


def pages(folder: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """Printed pages of the packages' own words: from a notice with few words to a full page."""
    random = np.random.default_rng(1)
    for package in (*PHOTOGRAPHS, ART, CLIP_ART):
        (path,) = (folder / package).rglob("copyright")
        words = " ".join(path.read_text(errors="replace").split())
        for size in (18, 28, 40, 60, 100):
            start = int(random.integers(0, max(1, len(words) - 3000)))
            yield "text", f"{package}/copyright at {size}", page(words[start:], size)


def page(words: str, size: int) -> np.ndarray:
    """Black on white, 720 × 960."""
    image = Image.new("L", (720, 960), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for number, line in enumerate(wrap(words, round(1240 / size))[: 860 * 5 // (6 * size)]):
        draw.text((50, 50 + number * size * 6 / 5), line, 20, font)
    return cv2.cvtColor(np.asarray(image), cv2.COLOR_GRAY2BGR)


def jpeg_of(image: np.ndarray) -> bytes:
    """As it would be uploaded."""
    height, width = image.shape[:2]
    factor = LONGEST / max(width, height)
    if factor < 1:
        size = round(width * factor), round(height * factor)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
