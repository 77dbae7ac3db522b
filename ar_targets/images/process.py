"""Starts a process that works on the pixels of one image, within limits that the kernel keeps.

What a decoder will do with a hostile image cannot be known before: an
arithmetic-coded JPEG of 5 KB with 64 scans takes libjpeg five seconds. A thread of
the server could neither be limited nor ended. The process (`worker`) has

- `CPU_SECONDS` of CPU, 0.04 s of which Python and Pillow need to start;
- `memory_limit` bytes of memory: 0.6 GB for 50 million pixels in 10 MB;
- `WALL_SECONDS` by the clock, should it wait for something;
- nothing of the server: neither its sockets nor its settings, some of which are secrets.

It runs as the server's user: it bounds what is spent, and is no sandbox.

One at a time works for each process of the server: who wants one waits for a `turn`,
and not for long, since threads that wait answer nobody else.
Measured in `docs/decisions/0026-bounded-decoding.md`.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..settings import ENV_PREFIX

# Runs a module on the bytes of an image with so many pixels.
Run = Callable[[str, bytes, int], bytes]

# Many times what a photograph takes: 50 million pixels in 10 MB need 0.7 s at most.
CPU_SECONDS = 2
# Other processes may keep it from a processor, but a thread of the server waits for it.
WALL_SECONDS = 10
# Bytes. Python and Pillow take 26 MiB where this was measured; Pillow keeps four for a decoded
# pixel, which is at most 100 MB, where an image is too narrow to be decoded at half its size.
MEMORY_AT_REST = 192 * 2**20
# libjpeg keeps the coefficients of a progressive image: two bytes for each colour, of which
# there are four at most.
MEMORY_PER_PIXEL = 8
# The image itself, while it is read from the pipe.
MEMORY_PER_BYTE = 3
# How many threads may wait for their turn, and for how many seconds: threads are for all others.
WAITING = 1
QUEUE_SECONDS = 0.5

# Signals that end a process for what it has done itself.
_ITS_OWN_FAULT = {
    signal.SIGXCPU,
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGFPE,
    signal.SIGABRT,
}

_places = threading.BoundedSemaphore(1 + WAITING)
_one_at_a_time = threading.Lock()


class ImageProcessError(Exception):
    """There is no result, and the text says why; another time there may be one."""


class ImageAtFaultError(ImageProcessError):
    """It is the image: no decoder reads it, or not within the limits. It will be so again."""


class BusyError(ImageProcessError):
    """Others have their turn."""


@contextmanager
def turn() -> Iterator[Run]:
    """The only way to run something, and nobody else does meanwhile. Raises BusyError.

    Read the image within, rather than before: many may ask, and few get a turn.
    """
    if not _places.acquire(blocking=False):
        raise BusyError("others wait already")
    try:
        if not _one_at_a_time.acquire(timeout=QUEUE_SECONDS):
            raise BusyError(f"another image is worked on for more than {QUEUE_SECONDS} s")
        try:
            yield _run
        finally:
            _one_at_a_time.release()
    finally:
        _places.release()


def _run(module: str, data: bytes, pixels: int) -> bytes:
    """What the function ``work`` of a module makes of an image, in a process of its own.

    ``module`` is a full name, and what it must be is `worker`'s business;
    ``pixels`` is the image's width times its height. Raises ImageProcessError.
    """
    worker = [sys.executable, "-P", "-m", "ar_targets.images.worker"]
    limits = [str(CPU_SECONDS), str(memory_limit(len(data), pixels))]
    try:
        done = subprocess.run(  # noqa: S603  # nothing of it is a client's
            [*worker, *limits, module],
            input=data,
            capture_output=True,
            env=environment(),
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageProcessError(f"it was not done within {WALL_SECONDS} s") from None
    except OSError as error:
        raise ImageProcessError(f"no process could be started: {error}") from error
    if done.returncode == 0:
        return done.stdout
    raise failure(done.returncode, done.stderr)


def memory_limit(size: int, pixels: int) -> int:
    """Bytes of addresses that a process may have for an image of so many bytes and pixels."""
    return MEMORY_AT_REST + MEMORY_PER_PIXEL * pixels + MEMORY_PER_BYTE * size


def environment() -> dict[str, str]:
    """The server's own, without its settings, some of which are secrets.

    In the C locale no archive of locales is loaded, which may have 200 MB and
    would count as memory.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ENV_PREFIX)}
    return kept | {"LC_ALL": "C"}


def failure(code: int, told: bytes) -> ImageProcessError:
    """Why a process has ended with this code, a signal where it is negative."""
    if code == -signal.SIGXCPU:
        return ImageAtFaultError(f"it takes more than {CPU_SECONDS} s of CPU")
    if -code in _ITS_OWN_FAULT:
        return ImageAtFaultError(f"the decoder ended by {signal.Signals(-code).name}")
    words = told.decode(errors="replace").strip().rpartition("\n")[2][:200]
    if code == os.EX_DATAERR:
        return ImageAtFaultError(words)
    return ImageProcessError(f"the process ended with {code}: {words}")
