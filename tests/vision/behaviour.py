"""What a child process may do with a picture; a module of its own, since children import it."""

import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any


def told(_: bytes) -> dict[str, Any]:
    """What a child knows and may."""
    return {
        "environ": Path("/proc/self/environ").read_bytes(),
        "limits": {
            name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]
            for name in ("CPU", "AS", "CORE")
        },
        "oom_score_adj": Path("/proc/self/oom_score_adj").read_text().strip(),
        "modules": set(sys.modules),
        "pid": os.getpid(),
        "parent": os.getppid(),
    }


def spin(_: bytes) -> None:
    """Takes all the CPU that there is."""
    while True:
        pass


def killed(_: bytes) -> None:
    """As the kernel kills, when there is no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


def broken(_: bytes) -> None:
    """As a decoder that reads where there is nothing."""
    os.kill(os.getpid(), signal.SIGSEGV)


def greedy(_: bytes) -> int:
    """Takes more memory than anybody may have."""
    return len(bytearray(2**40))


def refused(_: bytes) -> None:
    """As a decoder that sees what is wrong."""
    raise ValueError("it is no picture")


def uninstalled(_: bytes) -> None:
    """A library is missing."""
    raise ImportError("there is no such library")


def silent(_: bytes) -> None:
    """Takes no CPU, and never ends."""
    time.sleep(3600)


def named(place: bytes) -> str:
    """Leave a file, then wait until it is gone."""
    file = Path(place.decode())
    file.touch()
    while file.exists():
        time.sleep(0.01)
    return file.name
