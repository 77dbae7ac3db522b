"""``ar-targets`` at a terminal, where somebody types."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CTRL_C = "\x03"
COMMAND = Path(sys.executable).with_name("ar-targets")

# The first process of a session that opens a terminal has it as its own: Ctrl-C is sent there.
TAKE_TERMINAL = """
import os, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))
os.execv(sys.argv[1], sys.argv[1:])
"""


def at_terminal(
    arguments: Sequence[str], said: Sequence[tuple[str, str]], environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command, answer each prompt as it comes; its exit code, and all that was shown."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, COMMAND, *arguments],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=os.environ | environment,
        # A session of its own, whose Ctrl-C reaches nobody else.
        start_new_session=True,
    )
    os.close(inner)
    try:
        shown = ""
        for prompt, answer in said:
            shown += read(terminal, prompt)
            os.write(terminal, answer.encode())
        # The interpreter may pass over a first Ctrl-C, just before it waits for input.
        shown += read(terminal, again=CTRL_C if said and said[-1][1] == CTRL_C else "")
        return process.wait(20), shown
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def read(terminal: int, until: str | None = None, *, again: str = "") -> str:
    """What is shown up to some text, or to the end; ``again`` is typed while nothing is."""
    shown = b""
    silent = 0
    while until is None or until.encode() not in shown:
        if not select.select([terminal], [], [], 1)[0]:
            silent += 1
            assert silent < 60, shown.decode()
            os.write(terminal, again.encode())
            continue
        try:
            part = os.read(terminal, 1000)
        except OSError:  # how Linux tells the end
            part = b""
        if not part:
            assert until is None, shown.decode()
            break
        shown += part
    return shown.decode()
