"""Works on pictures in child processes, with limits on CPU, memory, time and their number.

What a picture costs cannot be known beforehand: an arithmetic-coded JPEG of 5 KB takes libjpeg
seconds. So each picture has a process of its own (`child`), which cannot harm the next one:

- ``seconds`` of CPU;
- `memory_limit` bytes of address space;
- ``patience`` seconds of wall-clock time, for busy machines;
- the first to go when the machine runs out of memory;
- none of the settings, some of which are secrets: see `forget_settings`.

It limits resources, and is not a sandbox. multiprocessing forks the processes from a server of its
own, since nothing may be forked from a process with threads. A child imports the main module
again: a script that makes a pool imports what is large in its functions, or each picture pays for
it.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..images.process import fault
from ..settings import ENV_PREFIX
from .child import Fault, work
from .examine import Examination, examine, extract
from .features import FeatureSet
from .picture import PictureError

Result = TypeVar("Result")

# The analysis of a photograph takes half a second, of a progressive CMYK picture of 49 million
# pixels one.
CPU_SECONDS = 5
WALL_SECONDS = 60
# Bytes of address space. Python with OpenCV and NumPy, of which 90 MB are really used, and the
# analysis of a photograph took 330 MB.
MEMORY_AT_REST = 512 * 2**20
# libjpeg keeps the coefficients of a progressive picture, two bytes for each of at most four
# components, beside the decoded pixels: 7 bytes were measured.
MEMORY_PER_PIXEL = 12
# The picture's bytes, as they are read from the pipe, unpickled, and decoded.
MEMORY_PER_BYTE = 4

_forks = multiprocessing.get_context("forkserver")


class PoolError(Exception):
    """There is no result; the message says why. A later attempt may succeed."""


class Pool:
    """Runs functions of pictures, so many at a time; for any number of threads."""

    def __init__(
        self,
        processes: int,
        memory: int,
        *,
        seconds: int = CPU_SECONDS,
        patience: float = WALL_SECONDS,
    ) -> None:
        """Start the fork server. Raises PoolError where no process can be started.

        ``processes`` work at a time; the limits of each are ``memory`` (see `memory_limit`) and
        ``seconds`` of CPU; a caller waits up to ``patience`` seconds for its turn, and as long for
        the result.
        """
        self._turns = threading.BoundedSemaphore(processes)
        self._seconds, self._memory, self._patience = seconds, memory, patience
        forget_settings()
        # Where a library has threads, they are of no use to processes that are forked.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        _forks.set_forkserver_preload([work.__module__, examine.__module__])
        self.run(len, b"")

    def examine(self, jpeg: bytes) -> Examination:
        """Judge a picture, and extract its features. Raises PictureError, PoolError."""
        return self.run(examine, jpeg)

    def extract(self, jpeg: bytes) -> FeatureSet:
        """The features of a picture. Raises PictureError, PoolError."""
        return self.run(extract, jpeg)

    def run(self, function: Callable[[bytes], Result], jpeg: bytes) -> Result:
        """The result of a function of a module. Raises PictureError, PoolError."""
        if not self._turns.acquire(timeout=self._patience):
            raise PoolError(f"other pictures are worked on for more than {self._patience} s")
        try:
            return self._run(function, jpeg)
        finally:
            self._turns.release()

    def _run(self, function: Callable[[bytes], Result], jpeg: bytes) -> Result:
        reader, writer = _forks.Pipe(duplex=False)
        arguments = (writer, function, jpeg, self._seconds, self._memory)
        child = _forks.Process(target=work, args=arguments, daemon=True)
        try:
            child.start()
            writer.close()
            if not reader.poll(self._patience):
                raise PoolError(f"it was not done within {self._patience} s")
            result: Any = reader.recv()
        except EOFError:
            child.join(self._patience)
            raise failure(child.exitcode, self._seconds) from None
        except OSError as error:
            raise PoolError(f"no process could be started: {error}") from error
        finally:
            reader.close()
            writer.close()
            if child.pid is not None:
                if child.is_alive():
                    child.kill()
                child.join()
            child.close()
        if isinstance(result, Fault):
            raise PictureError(result.reason)
        return cast("Result", result)


def memory_limit(size: int, pixels: int) -> int:
    """Bytes of address space (RLIMIT_AS) for pictures of so many bytes and pixels at most."""
    return MEMORY_AT_REST + MEMORY_PER_PIXEL * pixels + MEMORY_PER_BYTE * size


def forget_settings() -> None:
    """Take the settings out of this process's environment, which all that it starts inherits."""
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        del os.environ[name]


def failure(code: int | None, seconds: int) -> PictureError | PoolError:
    """The error for a process that ended without a result; a signal is a negative ``code``."""
    reason = "" if code is None else fault(code, seconds)
    return PictureError(reason) if reason else PoolError(f"the process ended with {code}")
