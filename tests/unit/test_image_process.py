"""Work on images in processes of their own: what it may cost, and how it may end."""

import io
import threading
import time
from contextlib import contextmanager

import pytest
from PIL import Image

from ar_targets.images import drawing, process
from ar_targets.images.process import (
    BusyError,
    ImageAtFaultError,
    ImageProcessError,
    memory_limit,
    turn,
)

from ..hostile.cost import cpu_of_children
from ..pictures import CHINA, HEIGHT, WIDTH
from .jpegs import arithmetic, costly, encoded, jpeg

DRAWING = "ar_targets.images.drawing"
MEGA = 10**6
PIXELS = 49 * MEGA
# Seconds that reading a clock, or a tick of the kernel's, may be off.
INEXACT = 0.3


@contextmanager
def bounded():
    """Fails where the block takes its processes more CPU than one may have, or never ends."""
    cpu, begun = cpu_of_children(), time.monotonic()
    yield
    assert cpu_of_children() - cpu < process.CPU_SECONDS + INEXACT
    assert time.monotonic() - begun < process.WALL_SECONDS + 2


@pytest.fixture
def patient(monkeypatch):
    """On a busy machine it may take long until a process has had its CPU."""
    monkeypatch.setattr(process, "WALL_SECONDS", 60)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes a module that a worker can import."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(code):
        (tmp_path / "made_for_a_test.py").write_text(code)
        return "made_for_a_test"

    return make


def run(*arguments):
    with turn() as begin:
        return begin(*arguments)


def upright(data):
    return Image.open(io.BytesIO(data))


def test_a_photograph():
    with bounded():
        picture = upright(run(DRAWING, CHINA, WIDTH * HEIGHT))
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert picture.size == (drawing.EDGE, round(drawing.EDGE * HEIGHT / WIDTH))


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("size", [(3, 3), (61, 47), (7, 4000), (1500, 1000)], ids=str)
def test_all_kinds(mode, size, options):
    picture = upright(run(DRAWING, jpeg(mode, size, **options), size[0] * size[1]))
    assert picture.mode == "RGB"
    assert max(picture.size) <= drawing.EDGE
    wide, high = picture.size
    assert wide == pytest.approx(high * size[0] / size[1], abs=1)


def test_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # its top is at the right
    picture = upright(run(DRAWING, jpeg(size=(400, 200), exif=exif), 80_000))
    assert picture.size == (drawing.EDGE // 2, drawing.EDGE)


@pytest.mark.parametrize(
    "large",
    [
        (Image.new("CMYK", (7000, 7000)), {"progressive": True}),
        (Image.new("RGB", (7000, 7000)), {"progressive": True, "subsampling": 0}),
        (Image.new("CMYK", (383, 65_500)), {"progressive": True}),
        (Image.new("CMYK", (1, 65_500)), {"progressive": True}),
    ],
    ids=["CMYK", "4:4:4", "narrow", "narrowest"],
)
@pytest.mark.usefixtures("patient")
def test_the_largest_ordinary_images_are_within_the_limits(large):
    picture, options = large
    with bounded():
        assert run(DRAWING, encoded(picture, **options), picture.width * picture.height)


HOSTILE = {
    "a hundred scans": lambda: costly(100),
    "thousands of scans": lambda: costly(9_000),
    "few scans, arithmetic": lambda: arithmetic(64),
}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_takes_long_is_ended(kind):
    data = HOSTILE[kind]()
    with bounded(), pytest.raises(ImageAtFaultError, match="more than 2 s of CPU"):
        run(DRAWING, data, PIXELS)


@pytest.mark.usefixtures("patient")
def test_what_takes_more_memory_than_its_pixels_explain_is_ended():
    data = encoded(Image.new("CMYK", (7000, 7000)), progressive=True)
    with bounded(), pytest.raises(ImageAtFaultError):
        run(DRAWING, data, MEGA)


@pytest.mark.parametrize("data", [b"", b"nonsense", CHINA[:-9000]], ids=["empty", "none", "cut"])
def test_what_no_decoder_reads(data):
    with pytest.raises(ImageAtFaultError):
        run(DRAWING, data, MEGA)


def test_who_waits_is_ended(module, monkeypatch):
    monkeypatch.setattr(process, "WALL_SECONDS", 1)
    name = module("import time\ndef work(data): time.sleep(60)")
    with bounded(), pytest.raises(ImageProcessError, match="within 1 s") as ended:
        run(name, b"", 1)
    assert not isinstance(ended.value, ImageAtFaultError)


@pytest.mark.parametrize(
    ("code", "reason", "at_fault"),
    [
        ("import os\ndef work(data): os.abort()", "ended by SIGABRT", True),
        ("def work(data): bytearray(10**10)", "MemoryError", True),
        ("def work(data): raise ZeroDivisionError('by\\nzero')", "zero", True),
        ("import os\ndef work(data): os.kill(os.getpid(), 9)", "ended with -9", False),
        ("import nothing_of_that_name", "ModuleNotFoundError", False),
    ],
)
def test_ends(module, code, reason, at_fault):
    with pytest.raises(ImageProcessError, match=reason) as ended:
        run(module(code), b"", 1)
    assert isinstance(ended.value, ImageAtFaultError) == at_fault


def test_no_process(monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere")
    with pytest.raises(ImageProcessError, match="no process could be started"):
        run(DRAWING, CHINA, 1)


def test_limits_hold_before_anything_is_imported(module):
    name = module(
        "import resource\n"
        "found = [resource.getrlimit(getattr(resource, 'RLIMIT_' + kind)) for kind in\n"
        "         ('CPU', 'AS', 'CORE')]\n"
        "def work(data): return repr(found).encode()"
    )
    memory = memory_limit(3, 1000)
    assert run(name, b"abc", 1000) == repr([(2, 3), (memory, memory), (0, 0)]).encode()


def test_nothing_of_the_server_is_handed_over(module, monkeypatch):
    monkeypatch.setenv("AR_TARGETS_JWT_KEYS", "a secret")
    name = module(
        "import os, sys\n"
        "def work(data):\n"
        "    assert not [name for name in os.environ if name.startswith('AR_TARGETS_')]\n"
        "    assert set(os.listdir('/proc/self/fd')) <= {'0', '1', '2', '3'}\n"
        "    ours = {name for name in sys.modules if name.startswith('ar_targets.')}\n"
        "    assert ours <= {'ar_targets.images', 'ar_targets.images.worker'}\n"
        "    assert 'pyramid' not in sys.modules\n"
        "    return data[::-1]"
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        open(__file__, "rb"),  # noqa: PTH123  # a descriptor that must stay here
    ):
        # coverage.py would open a file of its own there.
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        assert run(name, b"abc", 1) == b"cba"


@contextmanager
def others(number):
    """So many threads that want a turn; the first has it, and ends it with the block."""
    done = threading.Event()
    began = threading.Semaphore(0)
    ends = []

    def want():
        try:
            with turn():
                began.release()
                done.wait()
                ends.append("had it")
        except BusyError:
            ends.append("busy")

    threads = [threading.Thread(target=want) for _ in range(number)]
    for thread in threads:
        thread.start()
    began.acquire()
    try:
        yield ends
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_one_at_a_time():
    begun = time.monotonic()
    with others(1), pytest.raises(BusyError, match=r"more than 0\.5 s"), turn():
        pass
    assert time.monotonic() - begun >= process.QUEUE_SECONDS
    assert run(DRAWING, CHINA, WIDTH * HEIGHT)


def test_who_waits_a_moment_has_a_turn(monkeypatch):
    monkeypatch.setattr(process, "QUEUE_SECONDS", 10)
    with others(2) as ends:
        time.sleep(0.2)
        assert ends == []
    assert ends == ["had it", "had it"]


def test_few_wait(monkeypatch):
    monkeypatch.setattr(process, "QUEUE_SECONDS", 10)
    begun = time.monotonic()
    with others(5) as ends:
        while len(ends) < 3:
            time.sleep(0.01)
        assert ends == ["busy"] * 3
        assert time.monotonic() - begun < process.QUEUE_SECONDS
    assert ends == ["busy"] * 3 + ["had it"] * 2


def test_a_turn_ends_with_an_error():
    for _ in range(3):
        with pytest.raises(ImageAtFaultError):
            run(DRAWING, b"", 1)
