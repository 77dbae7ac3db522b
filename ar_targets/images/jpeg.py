"""Validates that bytes are one complete JPEG, without decoding its pixels.

The validation reads marker after marker (ITU-T T.81, annex B) up to the end of
the image: every segment must be complete, the frame header must have an allowed
size, every component must be scanned, in `MAX_SCANS` scans at most, and no scan
may have fewer bits than the shortest codes for its pixels. A file truncated at
any byte fails, since only the image's own end marker ends the loop; those inside
thumbnails and comments are skipped.

Why no decoding: `docs/decisions/0006-jpeg-proof.md` has the figures. Why this limit
of scans: `docs/decisions/0026-bounded-decoding.md`.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import NamedTuple

DHT, SOI, EOI, SOS, DNL = 0xC4, 0xD8, 0xD9, 0xDA, 0xDC
RESTARTS = range(0xD0, 0xD8)
FIRST_SEGMENT = 0xC0
SAMPLE_BITS = 8
# Maximum of segments and Huffman tables. Real files have tens; a malicious one could have
# millions, and take seconds.
MAX_PARTS = 10_000
# Maximum of scans of an image. Each makes a decoder process all blocks of a component, even
# if it has only a hundred bytes. libjpeg writes 10, or 18 for CMYK; mozjpeg uses some of the
# 64 that it tries; libtiff and GDAL read at most 100. The standard has no limit.
MAX_SCANS = 64
# Maximum of components of a scan (B.2.3).
MAX_SCANNED = 4
# Baseline, extended and progressive frames, Huffman coded, and the two
# arithmetic ones that libjpeg reads. Phones and browsers do not show lossless and
# hierarchical JPEGs.
FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
PROGRESSIVE = {0xC2}
ARITHMETIC = {0xC9, 0xCA}
OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xCB, 0xCD, 0xCE, 0xCF}

# Within coded data FF 00 is a data byte, FF D0…D7 a restart; all else ends it.
_FILL = re.compile(rb"\xff+")
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


class Jpeg(NamedTuple):
    """A validated JPEG: its bytes, width and height in pixels, and SHA-256 in hex."""

    data: bytes
    width: int
    height: int
    sha256: str


class JpegError(ValueError):
    """The bytes are not an acceptable JPEG; the message is for the client."""


def prove(data: bytes, max_pixels: int) -> Jpeg:
    """Validate a JPEG and read its size. Bytes after its end are allowed and kept.

    Raises JpegError.
    """
    if not data:
        raise JpegError("it is empty; send the bytes of a JPEG")
    if not data.startswith(b"\xff\xd8\xff"):
        raise JpegError(f"it is not a JPEG{_guess(data)}")
    frame = _Walk(data, max_pixels).frame_of_whole_image()
    return Jpeg(data, frame.width, frame.height, hashlib.sha256(data).hexdigest())


def _guess(data: bytes) -> str:
    """For the error message: the file type, guessed from the first bytes."""
    kinds = {
        b"\x89PNG": "a PNG",
        b"GIF8": "a GIF",
        b"RIFF": "a WebP",
        b"BM": "a BMP",
        b"II*\0": "a TIFF",
        b"MM\0*": "a TIFF",
        b"%PDF": "a PDF",
        b"\xff\xd8": "the first bytes of one: it is truncated",
    }
    for start, kind in kinds.items():
        if data.startswith(start):
            return f" but {kind}"
    if data[4:8] == b"ftyp":
        return " but a HEIC, AVIF or video file"
    return ": it does not begin with FF D8 FF"


@dataclass(slots=True)
class _Frame:
    """The frame header (B.2.2), with sampling factors by component."""

    marker: int
    width: int
    height: int
    sampling: dict[int, tuple[int, int]]
    unscanned: set[int]

    def blocks(self, component: int, *, alone: bool) -> int:
        """How many blocks of 8 × 8 a scan codes for a component (A.2)."""
        across, down = self.sampling[component]
        widest = max(h for h, _ in self.sampling.values())
        tallest = max(v for _, v in self.sampling.values())
        if alone:
            width, height = -(-self.width * across // widest), -(-self.height * down // tallest)
            return -(-width // 8) * -(-height // 8)
        return across * -(-self.width // (8 * widest)) * down * -(-self.height // (8 * tallest))


@dataclass(slots=True)
class _Walk:
    """One pass over the markers of a JPEG."""

    data: bytes
    max_pixels: int
    position: int = 2
    parts: int = 0
    scans: int = 0
    frame: _Frame | None = None
    # (class, id) of a Huffman table → bits of its shortest code.
    shortest_code: dict[tuple[int, int], int] = field(default_factory=dict)

    def frame_of_whole_image(self) -> _Frame:
        while (marker := self.next_marker()) != EOI:
            if marker in RESTARTS:
                continue
            if marker in OTHER_FRAMES:
                raise JpegError("it is a lossless or hierarchical JPEG, which phones cannot show")
            if marker < FIRST_SEGMENT or marker in (SOI, DNL):
                raise JpegError(f"it is broken: unexpected marker FF {marker:02X}")
            try:
                self.read_segment(marker, self.next_segment())
            except IndexError:
                raise JpegError(f"it is broken: segment FF {marker:02X} is too short") from None
        if self.frame is None:
            raise JpegError("it is broken: it ends before its frame header")
        if self.frame.unscanned:
            raise JpegError("it is truncated: it ends before all of its colours")
        return self.frame

    def next_marker(self) -> int:
        """The marker at the position; any number of FF may precede it."""
        self.count_part()
        filled = _FILL.match(self.data, self.position)
        at = filled.end() if filled else self.position
        if at >= len(self.data):
            raise JpegError("it is truncated: it stops before its end marker (FF D9)")
        if not filled:
            raise JpegError(f"it is broken: no marker at byte {at}, where one must be")
        self.position = at + 1
        return self.data[at]

    def count_part(self) -> None:
        """Limit the segments and tables, and so the work, whatever the file's size."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise JpegError(f"it is broken: it has more than {MAX_PARTS} segments and tables")

    def count_scan(self) -> None:
        """Limit the scans, and so the work of whoever decodes the image."""
        self.scans += 1
        if self.scans > MAX_SCANS:
            raise JpegError(
                f"it has more than {MAX_SCANS} scans, and would take long to decode; save it as a "
                "baseline JPEG, or as a progressive one with fewer scans"
            )

    def next_segment(self) -> bytes:
        """The segment after a marker, without its two bytes of length."""
        at, length = self.position, int.from_bytes(self.data[self.position : self.position + 2])
        if at + max(length, 2) > len(self.data):
            raise JpegError("it is truncated: it stops within a header")
        if length < 2:  # it includes its own two bytes
            raise JpegError(f"it is broken: the segment at byte {at} has no length")
        self.position = at + length
        return self.data[at + 2 : at + length]

    def read_segment(self, marker: int, segment: bytes) -> None:
        if marker in FRAMES:
            self.read_frame(marker, segment)
        elif marker == DHT:
            self.read_huffman_tables(segment)
        elif marker == SOS:
            self.read_scan(segment)

    def read_frame(self, marker: int, segment: bytes) -> None:
        if self.frame is not None:
            raise JpegError("it is broken: it has a second frame header")
        bits, count = segment[0], segment[5]
        height, width = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5])
        parts = [(segment[6 + 3 * n], segment[7 + 3 * n]) for n in range(count)]
        sampling = {component: (factors >> 4, factors & 15) for component, factors in parts}
        if bits != SAMPLE_BITS:
            raise JpegError(f"it has {bits} bits a sample; send one with {SAMPLE_BITS}")
        if not (width and height):
            raise JpegError("it is broken: its header claims no pixels")
        if width * height > self.max_pixels:
            raise JpegError(
                f"its header claims {width} × {height} pixels, "
                f"more than the {self.max_pixels} allowed"
            )
        if not 1 <= count <= 4 or len(sampling) != count:
            raise JpegError("it is broken: its header claims impossible colours")
        if not all(1 <= factor <= 4 for factors in sampling.values() for factor in factors):
            raise JpegError("it is broken: its header claims an impossible sampling")
        self.frame = _Frame(marker, width, height, sampling, set(sampling))

    def read_huffman_tables(self, segment: bytes) -> None:
        """Tables (B.2.4.2): a class and id, 16 counts of codes by length, the codes."""
        at = 0
        while at < len(segment):
            self.count_part()
            counts = segment[at + 1 : at + 17]
            shortest = next((bits for bits, codes in enumerate(counts, 1) if codes), None)
            if shortest is None:
                raise JpegError("it is broken: it has an empty Huffman table")
            self.shortest_code[segment[at] >> 4, segment[at] & 15] = shortest
            at += 17 + sum(counts)
        if at > len(segment):
            raise IndexError

    def read_scan(self, segment: bytes) -> None:
        """Read a scan's header (B.2.3) and skip its coded data up to the next marker."""
        if self.frame is None:
            raise JpegError("it is broken: coded data comes before the frame header")
        self.count_scan()
        count = segment[0]
        if not 1 <= count <= MAX_SCANNED:
            raise JpegError("it is broken: a scan codes an impossible number of colours")
        tables = {segment[1 + 2 * n]: segment[2 + 2 * n] for n in range(count)}
        if len(tables) != count or not tables.keys() <= self.frame.sampling.keys():
            raise JpegError("it is broken: a scan codes colours that it does not have")
        spectral_start, approximation = segment[1 + 2 * count], segment[3 + 2 * count]
        end = _SCAN_END.search(self.data, self.position)
        if end is None:
            raise JpegError("it is truncated: it stops before its end marker (FF D9)")
        needed = self.fewest_bits(tables, spectral_start, approximation >> 4)
        if 8 * (end.start() - self.position) < needed:
            raise JpegError("it is truncated: it holds too little data for its pixels")
        self.position = end.start()
        if spectral_start == 0:
            self.frame.unscanned -= tables.keys()

    def fewest_bits(self, tables: dict[int, int], spectral_start: int, refines: int) -> int:
        """The minimum bits of a scan: each block has at least its shortest codes.

        Sequential frames code a DC and an AC symbol per block. Progressive ones code a
        DC symbol, or one bit when they refine it, and AC symbols that may stand for many
        blocks (G.1.2). Arithmetic coding has no minimum.
        """
        frame = self.frame
        if frame is None or frame.marker in ARITHMETIC or spectral_start:
            return 0
        bits = 0
        for component, choice in tables.items():
            # Without tables in the file the usual ones apply, whose shortest code has two bits.
            dc = self.shortest_code.get((0, choice >> 4), 2)
            ac = self.shortest_code.get((1, choice & 15), 2)
            first = 1 if refines else dc
            each = first if frame.marker in PROGRESSIVE else dc + ac
            bits += each * frame.blocks(component, alone=len(tables) == 1)
        return bits
