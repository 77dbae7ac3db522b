"""Base64 texts as clients write them."""

import base64
import textwrap
from types import SimpleNamespace

import pytest

from ar_targets.images import base64_jpeg
from ar_targets.images.base64_jpeg import ImageError, ImageTooLargeError

from .jpegs import jpeg

PLAIN = jpeg()
ROOMY = SimpleNamespace(image_max_bytes=10**6, image_max_pixels=10_000)
SETTINGS = SimpleNamespace(image_max_bytes=len(PLAIN), image_max_pixels=10_000)
TEXT = base64.b64encode(PLAIN).decode()
LINES = "\n".join(textwrap.wrap(TEXT, 76)) + "\n"
ACCEPTED = {
    "one line": TEXT,
    "lines": LINES,
    "lines of Windows": LINES.replace("\n", "\r\n"),
    "data URI": "data:image/jpeg;base64," + TEXT,
    "data URI and lines": "data:image/jpeg;base64," + LINES,
}
REFUSED = {
    "empty": ("", "it is empty"),
    "url-safe": ("_-_-" + TEXT[4:], "not base64"),
    "spaces": (TEXT[:8] + " " + TEXT[8:], "not base64"),
    "not ASCII": ("é" + TEXT, "not base64"),
    "padding inside": (TEXT[:6] + "==" + TEXT[8:], "not base64"),
    "one character": (TEXT[:5], "not base64"),
    "another type": ("data:image/png;base64," + TEXT, "must begin with 'data:image/jpeg;base64,'"),
    "no JPEG": ("aGVsbG8=", "it must be a whole JPEG, but it is not a JPEG"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name):
    assert base64_jpeg.read(ACCEPTED[name], SETTINGS).data == PLAIN


@pytest.mark.parametrize("name", ["one line", "data URI"])
def test_accepted_as_bytes(name):
    assert base64_jpeg.read(memoryview(ACCEPTED[name].encode()), SETTINGS).data == PLAIN


@pytest.mark.parametrize("name", ["lines", "data URI and lines"])
def test_line_breaks_are_none_of_base64_in_bytes(name):
    with pytest.raises(ImageError, match="not base64"):
        base64_jpeg.read(memoryview(ACCEPTED[name].encode()), ROOMY)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    text, reason = REFUSED[name]
    for written in (text, memoryview(text.encode())):
        with pytest.raises(ImageError, match=reason):
            base64_jpeg.read(written, ROOMY)


@pytest.mark.parametrize("appended", [1, 2, 3, 1000])
def test_too_large(appended):
    text = base64.b64encode(PLAIN + b"x" * appended).decode()
    with pytest.raises(ImageTooLargeError, match=f"larger than the {len(PLAIN)} bytes allowed"):
        base64_jpeg.read(text, SETTINGS)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_padding_is_required(length):
    data = PLAIN + b"x" * length
    text = base64.b64encode(data).decode()
    assert base64_jpeg.read(text, ROOMY).data == data
    if text.endswith("="):
        with pytest.raises(ImageError, match="keep the padding"):
            base64_jpeg.read(text.rstrip("="), ROOMY)


def test_the_largest_body_holds_the_largest_image_in_short_lines():
    settings = SimpleNamespace(image_max_bytes=10 * 2**20, image_max_pixels=1)
    characters = 4 * -(-settings.image_max_bytes // 3)
    in_json = characters + len(r"\r\n") * (characters // 76 + 1)
    assert in_json + 6 * 65_535 < base64_jpeg.largest_body(settings)
