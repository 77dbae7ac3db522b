"""Several processes on the same listening sockets, and the parent that minds them."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

from waitress.adjustments import Adjustments

log = logging.getLogger(__name__)

# Seconds between the death of a worker and the start of another: one that
# cannot start must not keep the machine busy.
PAUSE = 1
# What the parent waits for. It is held back until then: between two steps, or in the
# midst of a fork, where Python drops what a handler raises, one could be lost.
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
# Seconds that workers have for the requests they are at when they are to end.
PATIENCE = 30


def leave(_signal: int, _frame: object) -> NoReturn:
    """A handler for SIGTERM: waitress ends its loop, and its threads their requests."""
    raise SystemExit(0)


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


def supervise(
    number: int, work: Callable[[int], None], listeners: Iterable[socket.socket] = ()
) -> None:
    """Keep that many processes at work until SIGTERM or SIGINT, then end them all.

    ``work`` is given a worker's place, from 0 up; the next in it comes when one has ended.
    """
    # Process id → place.
    children: dict[int, int] = {}
    # Nobody keeps a signal for us that we ignore, as this one by default.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    while True:
        for place in set(range(number)).difference(children.values()):
            children[start(work, place)] = place
        if signal.sigwait(WATCHED) != signal.SIGCHLD:
            break
        for child, status in ended():
            children.pop(child, None)
            log.error("worker %s has ended (%s); starting another", child, describe(status))
        time.sleep(PAUSE)
    # Or connections would wait here for nobody, while the workers end.
    for listener in listeners:
        listener.close()
    end(children)


def ended() -> Iterator[tuple[int, int]]:
    """The processes that have ended since it was asked last, and how."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def start(work: Callable[[int], None], place: int) -> int:
    """Fork a process that works and ends; its id. Signals are held back meanwhile."""
    # Asked before: the parent may be gone by the time that its child is running.
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        threading.Thread(target=follow, args=(parent,), daemon=True).start()
        work(place)
        code = 0
    except SystemExit:
        # Asked to leave before it had begun.
        code = 0
    except BaseException:
        log.exception("a worker failed")
    finally:
        # The stack above belongs to the parent.
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)


def follow(parent: int) -> None:
    """End this process when its parent is gone, which then cannot ask it to."""
    while os.getppid() == parent:
        time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGTERM)


def end(children: Iterable[int]) -> None:
    """Ask the workers to finish what they are at, and wait for them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for child in children:
        os.kill(child, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    for child in children:
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                log.error("worker %s does not end; killing it", child)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
            time.sleep(0.05)


def describe(status: Any) -> str:
    """How a process ended, for people."""
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
