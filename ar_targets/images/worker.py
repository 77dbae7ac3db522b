"""The subprocess that works on one image; started by `process`.

    python -m ar_targets.images.worker SECONDS BYTES MODULE < image > result

SECONDS of CPU and BYTES of memory are its limits. MODULE has a function ``work``
that takes the image's bytes and returns the result's.

It sets its limits itself because no Python code may run between fork and exec in a
multi-threaded server (the documentation of `subprocess` warns of ``preexec_fn``). It
imports nothing else of the server, which would make its start ten times as long.
"""

import importlib
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Work = Callable[[bytes], bytes]

# The maximum of oom_score_adj: the kernel's OOM killer chooses this process first.
FIRST_TO_GO = "1000"


def main(seconds: str, memory: str, module: str) -> int:
    """Read the image from standard input, write the result; returns the exit status.

    ``EX_DATAERR``, with the reason on standard error, if the image cannot be processed.
    """
    confine(int(seconds), int(memory))
    work: Work = importlib.import_module(module).work
    data = sys.stdin.buffer.read()
    try:
        result = work(data)
    except Exception as error:  # noqa: BLE001  # decoders may raise anything
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return os.EX_DATAERR
    sys.stdout.buffer.write(result)
    return os.EX_OK


def confine(seconds: int, memory: int) -> None:
    """Limit the CPU (seconds) and memory (bytes) of this process.

    At the soft CPU limit the kernel sends SIGXCPU, which ends the process; a second
    later SIGKILL, which cannot be ignored.
    """
    limit(resource.RLIMIT_CORE, 0, 0)
    limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    # macOS does not support this limit, and setting it fails.
    if sys.platform != "darwin":
        limit(resource.RLIMIT_AS, memory, memory)
    # So that the OOM killer spares the server. Only Linux has this.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")


def limit(kind: int, soft: int, hard: int) -> None:
    """Set a resource limit (getrlimit(2)); a lower one that is already set stays."""
    highest = resource.getrlimit(kind)[1]
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
