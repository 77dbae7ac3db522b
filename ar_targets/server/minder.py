"""Minds the workers: a small program that takes the place of the process that has forked them.

That process keeps its id, its children and its listening sockets, but not the
application: some 80 MiB, for one that does no more than wait. When a worker has
ended, the command with which the server was started is run once more, as the
next worker in its place. So what is imported here is little, and nothing of ours.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

# Seconds between the death of a worker and the start of another: one that
# cannot start must not keep the machine busy.
PAUSE = 1
# What is waited for. It is held back until then, from before the first worker is made:
# between two steps, or in the midst of a fork, one could be lost.
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
# Seconds that workers have for the requests they are at when they are to end.
PATIENCE = 30
# Where a worker that is to take another's place reads what it is given.
APPOINTMENT = "AR_TARGETS_WORKER"


def mind(command: list[str], workers: list[int], sockets: list[int], directory: str) -> None:
    """Keep all places filled until SIGTERM or SIGINT, then end the workers.

    ``command`` starts one, ``workers`` are process ids by place, ``sockets`` the
    descriptors they listen on, ``directory`` holds what they share, and goes with them.
    """
    places = {worker: place for place, worker in enumerate(workers)}
    # Nobody keeps a signal for us that we ignore, as this one by default.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Some may have ended before that.
    dead = list(ended())
    while True:
        if dead:
            time.sleep(PAUSE)
        for worker, status in dead:
            if worker in places:
                place = places.pop(worker)
                before = f"worker {worker} has ended ({describe(status)})"
                given = {"place": place, "parent": os.getpid(), "before": before}
                environ = {"sockets": sockets, "directory": directory} | given
                places[start(command, json.dumps(environ))] = place
        if signal.sigwait(WATCHED) != signal.SIGCHLD:
            break
        dead = list(ended())
    # Or connections would wait here for nobody, while the workers end.
    for descriptor in sockets:
        os.close(descriptor)
    end(places)
    for file in Path(directory).iterdir():
        file.unlink()
    Path(directory).rmdir()


def ended() -> Iterator[tuple[int, int]]:
    """The processes that have ended since it was asked last, and how."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def start(command: list[str], appointment: str) -> int:
    """Start a worker; its process id."""
    worker = os.fork()
    if worker:
        return worker
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        os.execve(command[0], command, os.environ | {APPOINTMENT: appointment})  # noqa: S606  # the server's own command
    finally:
        # There was no program, or somebody wants it to end. The stack above is the parent's.
        os._exit(1)


def end(workers: Iterable[int]) -> None:
    """Ask the workers to finish what they are at, and wait for them."""
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    for worker in workers:
        while os.waitpid(worker, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                print(f"worker {worker} does not end; killing it", file=sys.stderr)
                os.kill(worker, signal.SIGKILL)
                os.waitpid(worker, 0)
                break
            time.sleep(0.05)


def describe(status: int) -> str:
    """How a process ended, for people."""
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


if __name__ == "__main__":
    mind(**json.loads(sys.argv[1]))
