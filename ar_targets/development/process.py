"""Starting programs, waiting for them, and making sure that they are gone.

Used by ``database`` and ``serve``. Waiting means polling here: the caller's
``check`` runs between two looks and may raise to give up, so that a signal
never interrupts a step half-way and leaves a program behind.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

Check = Callable[[], None]

POLL_SECONDS = 0.05

PROC = Path("/proc")


def never() -> None:
    """The check that never gives up."""


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    stop_seconds: float,
    env: Mapping[str, str] | None = None,
    output: BinaryIO | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program; on leaving, stop it as ``stop`` does.

    It gets a session of its own, so that Ctrl-C in the terminal reaches only
    its owner, who decides in which order things end.
    """
    process = subprocess.Popen(  # noqa: S603  # the callers make the commands
        command,
        env=env,
        stdin=None if output is None else subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process, stop_seconds)


def answer(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it says.

    Unlike one of `running`, it stays in the terminal's foreground.
    """
    return subprocess.run(  # noqa: S603  # the callers make the commands
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def wait(process: subprocess.Popen[bytes], check: Check) -> int:
    """Wait for the program's end; its exit code, as a shell gives it (128 + signal)."""
    while (code := process.poll()) is None:
        check()
        time.sleep(POLL_SECONDS)
    return code if code >= 0 else 128 - code


def stop(process: subprocess.Popen[bytes], stop_seconds: float) -> None:
    """Ask the program to end, wait ``stop_seconds``, then kill what is left of its session."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(stop_seconds)
    # Its children share its process group; macOS answers EPERM when only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def has_argument(pid: int, argument: str) -> bool:
    """Whether there is such a process, started with this argument.

    A pid alone proves nothing: it may have been given to another program
    since. For a moment, a process that becomes another program shows no
    arguments at all; hence the second look.
    """
    line = command_line(pid)
    if not line:
        time.sleep(POLL_SECONDS)
        line = command_line(pid)
    return f" {argument} " in f" {line} "


def stop_stranger(pid: int, argument: str, stop_seconds: float) -> None:
    """Like ``stop``, for a process with this argument that is not our child."""
    for sign, seconds in ((signal.SIGTERM, stop_seconds), (signal.SIGKILL, 5.0)):
        if not has_argument(pid, argument):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        _wait_for_stranger(pid, argument, seconds)


def _wait_for_stranger(pid: int, argument: str, seconds: float) -> None:
    """Wait until the process is gone, at most ``seconds``."""
    deadline = time.monotonic() + seconds
    while has_argument(pid, argument) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def command_line(pid: int) -> str:
    """The process's arguments with blanks between them; empty where it has ended."""
    if not PROC.exists():  # as on macOS
        return answer(["ps", "-ww", "-o", "command=", "-p", str(pid)]).stdout.strip()
    try:
        arguments = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return os.fsdecode(arguments.replace(b"\0", b" "))
