"""The process that works on one picture, and ends with it; started by `pool`.

It is forked from multiprocessing's fork server, which has imported OpenCV already, so that its
start takes milliseconds. It imports nothing of settings, database or web: there is no secret in
its memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

import cv2

from ..images.worker import confine
from .picture import PictureError

# OpenCV's own threads would not be limited to one core, and forked processes lack them.
cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no result: the picture is at fault."""

    reason: str


def work(
    results: Connection, function: Callable[[bytes], object], jpeg: bytes, seconds: int, memory: int
) -> None:
    """Send the result of a function of a JPEG, or a `Fault`.

    ``seconds`` of CPU and ``memory``, bytes of address space, are the limits.
    """
    confine(seconds, memory)
    try:
        result = function(jpeg)
    except ImportError:
        # The installation is at fault: the process ends with a traceback.
        raise
    except MemoryError:
        result = Fault(f"it takes more than {memory // 2**20} MiB of memory")
    except PictureError as error:
        result = Fault(str(error))
    except Exception as error:  # noqa: BLE001  # decoders may raise anything
        result = Fault(f"{type(error).__name__}: {error}"[:200])
    results.send(result)
