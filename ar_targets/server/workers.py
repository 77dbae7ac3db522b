"""Several processes on the same listening sockets.

The first are forked, so that they share the memory of what is loaded. Then the
parent becomes a small program, `minder`, which has others take the places of those
that end: these load the application themselves.
"""

import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from waitress.adjustments import Adjustments

from . import minder
from .drain import Stop
from .minder import APPOINTMENT, PAUSE, WATCHED
from .shares import Share

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    """One of them: its place, from 0 up, and what it shares with the others."""

    place: int
    # The id of the process that minds it.
    parent: int
    sockets: list[socket.socket]
    # What is counted, and who has how many connections.
    directory: str

    @property
    def share(self) -> Share:
        """Its part of the connections."""
        return Share(self.directory, self.place)

    def begin(self) -> None:
        """Called in its process; from now on that ends when its parent is gone."""
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        """A parent that is gone cannot ask it to end."""
        while os.getppid() == self.parent:
            time.sleep(PAUSE)
        os.kill(os.getpid(), signal.SIGTERM)


def listen(adjustments: Adjustments) -> list[socket.socket]:
    """The sockets that waitress would open, for the workers to inherit."""
    made = []
    for family, kind, protocol, address in adjustments.listen:
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(adjustments.backlog)
        made.append(listener)
    return made


def appointed() -> Worker | None:
    """The worker that this process is to be, if the minder has started it."""
    text = os.environ.pop(APPOINTMENT, None)
    if text is None:
        return None
    given = json.loads(text)
    # The one before has left no line of its own.
    log.error("%s; process %s takes its place", given["before"], os.getpid())
    sockets = [socket.socket(fileno=number) for number in given["sockets"]]
    for each in sockets:
        each.set_inheritable(False)
    return Worker(given["place"], given["parent"], sockets, given["directory"])


def supervise(
    number: int, work: Callable[[Worker], None], sockets: list[socket.socket], stop: Stop
) -> NoReturn:
    """Fork that many, and become what minds them until SIGTERM or SIGINT."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    if stop.times:
        # Nobody would tell the minder.
        sys.exit()
    directory = tempfile.mkdtemp(prefix="ar_targets-metrics-")
    Share.prepare(directory, number)
    # Asked here: a parent may be gone by the time that its child is running.
    parent = os.getpid()
    children = [fork(work, Worker(place, parent, sockets, directory)) for place in range(number)]
    for each in sockets:
        each.set_inheritable(True)
    given = {
        "command": [sys.executable, *sys.orig_argv[1:]],
        "workers": children,
        "sockets": [each.fileno() for each in sockets],
        "directory": directory,
    }
    sys.stdout.flush()
    # Isolated, and without what is installed: it needs none of it.
    program = [sys.executable, "-I", "-S", minder.__file__, json.dumps(given)]
    os.execv(program[0], program)  # noqa: S606  # our own file


def fork(work: Callable[[Worker], None], worker: Worker) -> int:
    """Fork a process that works and ends; its id. Signals are held back meanwhile."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        work(worker)
        code = 0
    except BaseException:
        log.exception("a worker failed")
    finally:
        # The stack above belongs to the parent.
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)
