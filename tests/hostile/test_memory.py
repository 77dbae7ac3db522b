"""The memory of a server that gets the largest bodies it takes, sixteen at a time."""

import gc
import json
import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
import webtest

from ar_targets.schemas.target import TargetBody

from ..functional.test_server import JSON, needs_proc, running
from ..pictures import CHINA, base64_of

MIB = 2**20
LARGEST = 10 * MIB
AT_ONCE, ROUNDS = 16, 4
# MiB that a process may take on top at the peak; four threads are at uploads, and
# each may hold the text of its request and the image: 24 MiB, and copies of parts.
PEAK = 160
# MiB that may be left afterwards, however often; the allocator keeps some.
KEPT = 48
SETTINGS = {"AR_TARGETS_IMAGE_MAX_BYTES": str(LARGEST)}

# Bytes behind the end of an image are allowed, so this is one of the largest size.
IMAGE = CHINA + bytes(LARGEST - len(CHINA))
BODIES = {
    "images": (201, {"image": base64_of(IMAGE), "description": ""}),
    "no images": (400, {"image": base64_of(IMAGE[1:])}),
    "accented letters": (413, {"image": "é" * (7 * MIB - 100)}),
    "lists": (400, b'{"image":[' + b"[]," * (14 * MIB // 3 - 10) + b"0]}"),
    "metadata": (400, {"image": "", "metadata": "\\" * (6 * MIB)}),
    "keys": (400, b"{" + b",".join(b'"%x":0' % n for n in range(1_300_000)) + b"}"),
}


def memory(server, what):
    """MiB that the process has in memory (``VmRSS``), or had at the peak (``VmHWM``)."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1024


def forget_peak(server):
    """Let the peak be what it is now (proc(5))."""
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")


@pytest.fixture
def collector_off():
    """What nobody refers to goes at once; what goes in circles stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left_behind(app, method, path, body, who, status):
    """Bytes that are still in use when a request has been answered, and the answer sent."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()

    def answer():
        headers = who.headers | JSON
        sent = webtest.TestRequest.blank(path, method=method, body=raw, headers=headers)
        answered = sent.get_response(app.app)
        assert answered.status_int == status
        assert answered.body or status == 204

    answer()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        answer()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("collector_off")
@pytest.mark.parametrize("name", BODIES)
def test_nothing_of_an_upload_stays(app, project, write_token, name):
    status, body = BODIES[name]
    assert left_behind(app, "POST", project.targets, body, write_token, status) < MIB


@pytest.mark.usefixtures("collector_off")
@pytest.mark.parametrize("part", ["", "/image"])
def test_nothing_of_a_download_stays(app, stage, project, write_token, part):
    path = stage.target(project, IMAGE).path + part
    assert left_behind(app, "GET", path, b"", write_token, 200) < MIB


@pytest.mark.parametrize("text", [b"\\" * 4 * MIB, b"x" * 4 * MIB + "\U0001f600".encode()])
def test_metadata_that_is_too_large_is_looked_at_as_it_is(text):
    raw = msgspec.Raw(b'"%b"' % text)
    tracemalloc.start()
    try:
        wrong = TargetBody.for_patch().load({"metadata": raw})[1]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "at most 2097152 bytes" in wrong["metadata"]
    assert peak < 2 * len(text)


def measured(server, ask, expected):
    """MiB over those at rest, (at the peak, afterwards) for each round of requests at once."""
    ask(0)
    at_rest, figures = memory(server, "VmRSS"), []
    for _ in range(ROUNDS):
        forget_peak(server)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert set(threads.map(ask, range(AT_ONCE))) == {expected}
        figures.append((memory(server, "VmHWM") - at_rest, memory(server, "VmRSS") - at_rest))
    return figures


def check(figures, what):
    """Print the figures, and hold them against their bounds."""
    peaks, kept = zip(*figures, strict=True)
    shown = [", ".join(f"{each:.0f}" for each in of) for of in (peaks, kept)]
    print(f"\n{AT_ONCE} at once, {what}: at the peak {shown[0]}, afterwards {shown[1]} MiB more")
    assert max(peaks) < PEAK
    assert max(kept) < KEPT


@needs_proc
@pytest.mark.soak
@pytest.mark.parametrize("name", BODIES)
def test_uploads_at_once(database_url, tmp_path, project, write_token, name):
    expected, body = BODIES[name]
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    with running(database_url, tmp_path, environ=SETTINGS) as server:

        def upload(_):
            return server.ask("POST", project.targets, raw, **JSON, **write_token.headers)[0]

        check(measured(server, upload, expected), f"{len(raw) / MIB:.1f} MiB of {name}")


@needs_proc
@pytest.mark.soak
@pytest.mark.parametrize("part", ["", "/image"])
def test_downloads_at_once(database_url, tmp_path, stage, project, write_token, part):
    path = stage.target(project, IMAGE).path + part
    with running(database_url, tmp_path, environ=SETTINGS) as server:

        def download(_):
            return server.ask("GET", path, **write_token.headers)[0]

        check(measured(server, download, 200), f"reading {path}")
