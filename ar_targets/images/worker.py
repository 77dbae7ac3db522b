"""The program that works on one image: it limits itself, then imports what does the work.

    python -m ar_targets.images.worker SECONDS BYTES MODULE < image > result

SECONDS of CPU and BYTES of memory are the most that it takes. MODULE has a
function ``work`` from the image's bytes to the result's. `process` starts it.

It limits itself because nothing of ours may run between fork and exec in a server
with threads (the documentation of `subprocess` warns of ``preexec_fn``). It imports
nothing else of the server, which would take ten times as long to start.
"""

import importlib
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Work = Callable[[bytes], bytes]

# The kernel chooses whom to end when memory runs out by these points; 1,000 is the most.
FIRST_TO_GO = "1000"


def main(seconds: str, memory: str, module: str) -> int:
    """Read the image, write the result; the exit status.

    ``EX_DATAERR`` with the reason on standard error: the image cannot be worked on.
    """
    confine(int(seconds), int(memory))
    work: Work = importlib.import_module(module).work
    data = sys.stdin.buffer.read()
    try:
        result = work(data)
    except Exception as error:  # noqa: BLE001  # whatever a hostile image makes a decoder do
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return os.EX_DATAERR
    sys.stdout.buffer.write(result)
    return os.EX_OK


def confine(seconds: int, memory: int) -> None:
    """Limit the CPU and the memory of this process, for good.

    At the first limit of CPU the kernel sends SIGXCPU, which ends it; SIGKILL, a
    second later, cannot be ignored.
    """
    limit(resource.RLIMIT_CORE, 0, 0)
    limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    # macOS has no such limit, and refuses to set it.
    if sys.platform != "darwin":
        limit(resource.RLIMIT_AS, memory, memory)
    # The server shall stay. Only Linux has this.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")


def limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit (getrlimit(2)), where there is not a lower one already."""
    highest = resource.getrlimit(kind)[1]
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
