"""Starting, waiting for and stopping subprocesses.

Used by ``database`` and ``serve``. Waiting means polling: the caller's ``check``
runs between two polls and may raise to stop waiting, so that a signal never
interrupts a step half-way and leaves a subprocess running.
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
    """The default check, which never raises."""


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    stop_seconds: float,
    env: Mapping[str, str] | None = None,
    output: BinaryIO | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a subprocess; on exit, stop it with `stop`.

    It gets its own session, so that Ctrl-C in the terminal reaches only the
    parent, which determines the order of shutdown.
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
    """Run a command to its end and capture its output.

    Unlike the subprocesses of `running`, it stays in the terminal's foreground.
    """
    return subprocess.run(  # noqa: S603  # the callers make the commands
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def wait(process: subprocess.Popen[bytes], check: Check) -> int:
    """Wait for the subprocess to exit; its exit status as in a shell (128 + signal)."""
    while (code := process.poll()) is None:
        check()
        time.sleep(POLL_SECONDS)
    return code if code >= 0 else 128 - code


def stop(process: subprocess.Popen[bytes], stop_seconds: float) -> None:
    """Send SIGTERM, wait ``stop_seconds``, then send SIGKILL to what remains of its session."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(stop_seconds)
    # Its children share its process group; macOS answers EPERM when only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def has_argument(pid: int, argument: str) -> bool:
    """Whether the process exists and was started with this argument.

    The pid alone is not enough, since it may have been reused. During exec, a
    process has no arguments for a moment; an empty result is therefore read again.
    """
    line = command_line(pid)
    if not line:
        time.sleep(POLL_SECONDS)
        line = command_line(pid)
    return f" {argument} " in f" {line} "


def stop_stranger(pid: int, argument: str, stop_seconds: float) -> None:
    """Like `stop`, for a process with this argument that is not a child."""
    for sign, seconds in ((signal.SIGTERM, stop_seconds), (signal.SIGKILL, 5.0)):
        if not has_argument(pid, argument):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        _wait_for_stranger(pid, argument, seconds)


def _wait_for_stranger(pid: int, argument: str, seconds: float) -> None:
    """Wait until the process has exited, at most ``seconds``."""
    deadline = time.monotonic() + seconds
    while has_argument(pid, argument) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def command_line(pid: int) -> str:
    """The process's arguments, separated by spaces; empty if it has exited."""
    if not PROC.exists():  # as on macOS
        return answer(["ps", "-ww", "-o", "command=", "-p", str(pid)]).stdout.strip()
    try:
        arguments = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return os.fsdecode(arguments.replace(b"\0", b" "))
