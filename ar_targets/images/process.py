"""Runs a subprocess that decodes one image, with limits on CPU, memory and time.

The cost of decoding a malicious image cannot be known beforehand: an arithmetic-coded
JPEG of 5 KB with 64 scans takes libjpeg five seconds. A thread of the server could
neither be limited nor stopped. The subprocess (`worker`) has

- `CPU_SECONDS` of CPU, 0.04 s of which Python and Pillow need to start;
- `memory_limit` bytes of memory: 0.6 GB for 50 million pixels in 10 MB;
- a timeout of `WALL_SECONDS`;
- none of the server's sockets and settings, some of which are secrets.

It runs as the server's user: it limits resources, and is not a sandbox.

Each process of the server runs one subprocess at a time; see `turn`. Others wait only
briefly, since a waiting thread serves no other request.
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

# Runs a module on an image; the arguments are those of `_run`.
Run = Callable[[str, bytes, int], bytes]

# More than any photograph needs: 50 million pixels in 10 MB take 0.7 s at most.
CPU_SECONDS = 2
# More than CPU_SECONDS, for busy machines; limited, since a thread of the server waits.
WALL_SECONDS = 10
# Bytes. Python and Pillow took 26 MiB when measured; Pillow needs four bytes per decoded pixel,
# at most 100 MB, where an image is too narrow to be decoded at half its size.
MEMORY_AT_REST = 192 * 2**20
# libjpeg keeps the coefficients of a progressive image: two bytes for each of at most four
# components.
MEMORY_PER_PIXEL = 8
# For the image itself while it is read from the pipe.
MEMORY_PER_BYTE = 3
# How many threads may wait, and for how many seconds: other requests need the threads.
WAITING = 1
QUEUE_SECONDS = 0.5

# Signals that a process causes itself: the image is at fault.
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
    """There is no result; the message says why. A later attempt may succeed."""


class ImageAtFaultError(ImageProcessError):
    """The image cannot be decoded, or not within the limits. A later attempt would fail too."""


class BusyError(ImageProcessError):
    """Other images are being decoded."""


@contextmanager
def turn() -> Iterator[Run]:
    """Wait until no other subprocess runs; yields the function that starts one.

    Read the image inside the block: when many threads wait, most get BusyError and
    do not need it. Raises BusyError.
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
    """Run the function ``work`` of a module on an image in a subprocess; its result.

    ``module`` is an absolute name (requirements: `worker`); ``pixels`` is the
    image's width times its height. Raises ImageProcessError.
    """
    worker = [sys.executable, "-P", "-m", "ar_targets.images.worker"]
    limits = [str(CPU_SECONDS), str(memory_limit(len(data), pixels))]
    try:
        done = subprocess.run(  # noqa: S603  # no argument comes from a client
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
    """Bytes of address space (RLIMIT_AS) for an image of so many bytes and pixels."""
    return MEMORY_AT_REST + MEMORY_PER_PIXEL * pixels + MEMORY_PER_BYTE * size


def environment() -> dict[str, str]:
    """The server's environment without its settings, some of which are secrets.

    The C locale avoids loading the locale archive, which may have 200 MB and would
    count as memory.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ENV_PREFIX)}
    return kept | {"LC_ALL": "C"}


def failure(code: int, told: bytes) -> ImageProcessError:
    """The error for a subprocess's exit status (a signal if negative) and standard error."""
    if reason := fault(code, CPU_SECONDS):
        return ImageAtFaultError(reason)
    words = told.decode(errors="replace").strip().rpartition("\n")[2][:200]
    if code == os.EX_DATAERR:
        return ImageAtFaultError(words)
    return ImageProcessError(f"the process ended with {code}: {words}")


def fault(code: int, seconds: int) -> str:
    """Why the image is at fault, of a process with so many seconds of CPU; empty where it is not.

    ``code`` is its exit status, a signal if negative.
    """
    if code == -signal.SIGXCPU:
        return f"it takes more than {seconds} s of CPU"
    return f"the decoder ended by {signal.Signals(-code).name}" if -code in _ITS_OWN_FAULT else ""
