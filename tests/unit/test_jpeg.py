"""The proof of a JPEG: every kind passes whole, and fails when cut at any byte."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ar_targets.images.jpeg import MAX_SCANS, JpegError, prove

from ..pictures import CHINA, FLOWER
from .jpegs import encoded, jpeg, scans, with_scans

PIXELS = 50_000_000


def with_thumbnail(picture: bytes, thumbnail: bytes) -> bytes:
    """The picture with another JPEG, its end marker included, in an APP1 segment."""
    segment = b"Exif\0\0" + thumbnail
    return picture[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + picture[2:]


KINDS = {
    "colour": jpeg(),
    "grey": jpeg("L"),
    "cmyk": jpeg("CMYK"),
    "progressive": jpeg(progressive=True),
    "optimised": jpeg(optimize=True),
    "full chroma": jpeg(subsampling=0),
    "quarter chroma": jpeg(subsampling=2),
    "restart markers": jpeg(restart_marker_blocks=2),
    "one pixel": jpeg(size=(1, 1)),
    "with thumbnail": with_thumbnail(jpeg(), jpeg(size=(16, 12))),
    "flat": encoded(Image.new("RGB", (400, 300)), optimize=True),
    "fill bytes": jpeg().replace(b"\xff\xda", b"\xff\xff\xff\xda", 1),
    "progressive cmyk": jpeg("CMYK", progressive=True),
    "progressive with restart markers": jpeg(progressive=True, restart_marker_blocks=2),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whole(kind):
    data = KINDS[kind]
    width, height = Image.open(io.BytesIO(data)).size
    proven = prove(data, PIXELS)
    assert (proven.data, proven.width, proven.height) == (data, width, height)
    assert len(proven.sha256) == 64


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_any_byte(kind):
    data = KINDS[kind]
    for length in range(len(data)):
        with pytest.raises(JpegError):
            prove(data[:length], PIXELS)


def test_bytes_after_the_end_are_kept():
    data = jpeg() + b"\xff\xd8 what cameras append"
    assert prove(data, PIXELS).data == data


def segment_at(data: bytes, marker: int) -> int:
    """The place of a marker's first length byte."""
    return data.index(bytes([0xFF, marker])) + 2


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


PLAIN = jpeg()
FRAME, SCAN, TABLE = (segment_at(PLAIN, marker) for marker in (0xC0, 0xDA, 0xC4))
BROKEN = {
    "empty": (b"", "it is empty"),
    "text": (b"hello", "it is not a JPEG: it does not begin"),
    "two bytes": (b"\xff\xd8", "truncated"),
    "png": (b"\x89PNG\r\n\x1a\n", "but a PNG"),
    "webp": (b"RIFF....WEBP", "but a WebP"),
    "heic": (b"....ftypheic", "but a HEIC"),
    "no marker": (b"\xff\xd8\xff\xe0\x00\x04abxx", "no marker at byte 8"),
    "no length": (b"\xff\xd8\xff\xe0\x00\x01" + b"x" * 20, "has no length"),
    "cut before EOI": (PLAIN[:-2], "before its end marker"),
    "no frame": (b"\xff\xd8\xff\xfe\x00\x02\xff\xd9", "ends before its frame header"),
    "scan first": (b"\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\xff\xd9", "before the frame"),
    "never scanned": (PLAIN[: SCAN - 2] + b"\xff\xd9", "before all of its colours"),
    "second image": (PLAIN[:2] + b"\xff\xd8" + PLAIN[2:], "unexpected marker FF D8"),
    "second frame": (PLAIN[: SCAN - 2] + PLAIN[FRAME - 2 :], "second frame"),
    "short frame": (b"\xff\xd8\xff\xc0\x00\x04\x08\x00\xff\xd9", "too short"),
    "lossless": (patched(PLAIN, FRAME - 1, b"\xc3"), "lossless"),
    "12 bits": (patched(PLAIN, FRAME + 2, b"\x0c"), "12 bits a sample"),
    "no height": (patched(PLAIN, FRAME + 3, b"\0\0"), "claims no pixels"),
    "bomb": (patched(PLAIN, FRAME + 3, b"\xff\xdc\xff\xdc"), "65500 × 65500 pixels, more than"),
    "same component twice": (patched(PLAIN, FRAME + 11, b"\x01"), "impossible colours"),
    "sampling": (patched(PLAIN, FRAME + 9, b"\x01"), "impossible sampling"),
    "empty table": (patched(PLAIN, TABLE + 3, bytes(16)), "empty Huffman table"),
    "table too short": (patched(PLAIN, TABLE + 3, b"\xff" * 16), "too short"),
    "foreign scan": (patched(PLAIN, SCAN + 3, b"\x09"), "colours that it does not have"),
    "scan of nothing": (patched(PLAIN, SCAN + 2, b"\x00"), "impossible number of colours"),
    "scan of five": (patched(PLAIN, SCAN + 2, b"\x05"), "impossible number of colours"),
    "little data": (PLAIN[: SCAN + 14] + b"\xff\xd9", "too little data"),
    "reserved marker": (PLAIN[:2] + b"\xff\x02" + PLAIN[2:], "unexpected marker FF 02"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name):
    data, reason = BROKEN[name]
    with pytest.raises(JpegError, match=reason):
        prove(data, PIXELS)


def test_the_limit_itself_is_allowed():
    data = jpeg(size=(40, 30))
    assert prove(data, 1200).width == 40
    with pytest.raises(JpegError, match="40 × 30 pixels, more than the 1199 allowed"):
        prove(data, 1199)


PROGRESSIVE = jpeg(progressive=True)


@pytest.mark.parametrize("count", [10, 11, MAX_SCANS - 1, MAX_SCANS])
def test_scans_up_to_the_limit(count):
    data = with_scans(PROGRESSIVE, count)
    assert len(scans(data)) == count
    assert prove(data, PIXELS).data == data
    # They are what a decoder takes for scans, too.
    assert Image.open(io.BytesIO(data)).convert("RGB").size == (61, 47)


@pytest.mark.parametrize("count", [MAX_SCANS + 1, 100, 9_000])
def test_more_scans_are_refused(count):
    with pytest.raises(JpegError, match=f"more than {MAX_SCANS} scans, .* save it as a baseline"):
        prove(with_scans(PROGRESSIVE, count), PIXELS)


def test_scans_one_after_the_other_are_counted_in_baseline_files_too():
    with pytest.raises(JpegError, match=f"more than {MAX_SCANS} scans"):
        prove(with_scans(PLAIN, MAX_SCANS + 1), PIXELS)


@pytest.mark.parametrize("photograph", [CHINA, FLOWER], ids=["china", "flower"])
@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize(
    ("mode", "written"), [("L", 6), ("RGB", 10), ("CMYK", 18)], ids=["L", "RGB", "CMYK"]
)
def test_progressive_photographs_are_far_from_the_limit(photograph, optimize, mode, written):
    picture = Image.open(io.BytesIO(photograph)).convert(mode)
    data = encoded(picture, progressive=True, optimize=optimize)
    assert len(scans(data)) == written < MAX_SCANS / 3
    assert prove(data, PIXELS).data == data


def test_restart_marker_between_segments_is_harmless():
    assert prove(PLAIN[:2] + b"\xff\xd0" + PLAIN[2:], PIXELS).width == 61


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    changes=st.lists(
        st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=4)), max_size=6
    ),
)
def test_mutations_are_judged_and_never_crash(kind, changes):
    data = bytearray(KINDS[kind])
    for place, new in changes:
        at = place % len(data)
        data[at : at + len(new)] = new
    try:
        proven = prove(bytes(data), PIXELS)
    except JpegError:
        return
    assert 0 < proven.width * proven.height <= PIXELS
