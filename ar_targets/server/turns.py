"""Small requests, which take turns in the thread of the loop.

To hand a request to another thread, and the interpreter's lock with it, costs a
good part of what it takes to answer it. A request that waits for nothing but
the database, and computes for a moment, needs no thread of its own (`fibre`).
"""

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from waitress.channel import HTTPChannel

from .. import fibre
from ..fibre import Fibre, Waker

log = logging.getLogger(__name__)

# Bytes of a body. What is done with more would keep all others waiting for too long.
SMALL_BODY = 256 * 1024
# Where views are that wait for nothing but the database; users have passwords, and are counted
# in a storage that may be elsewhere.
PATHS = "/api/project"


class Turns:
    """Fibres that answer connections in the order of their requests."""

    def __init__(self, waker: Waker, fibres: int) -> None:
        """So many at most; the other connections wait for one that is done."""
        self._waker, self._unborn = waker, fibres
        self._waiting: deque[HTTPChannel] = deque()
        # A new fibre needs a new stack from the system, which costs as much as a query.
        self._resting: list[Fibre] = []
        self._threads = ThreadPoolExecutor(fibres, "fibre")

    def add(self, channel: HTTPChannel) -> None:
        """Queue a connection for its first request; from any thread."""
        self._waiting.append(channel)
        self._waker.soon(self._begin)

    def end(self) -> None:
        """Cancel what nobody has begun."""
        while self._waiting:
            self._waiting.popleft().cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        while self._waiting and (self._resting or self._unborn):
            if not self._resting:
                self._unborn -= 1
                Fibre(self._answer_all, self._waker, self._threads).switch()
            self._resting.pop().switch(self._waiting.popleft())

    def _answer_all(self) -> None:
        """What a fibre does; it never ends, and holds no connection while it rests."""
        mine: Any = fibre.current()
        while True:
            self._resting.append(mine)
            self._answer(mine.rest())
            if self._waiting:
                self._waker.soon(self._begin)

    def _answer(self, channel: HTTPChannel) -> None:
        try:
            channel.service()
        except Exception:
            # The fibre is needed for others.
            log.exception("a connection could not be answered")


def is_small(channel: HTTPChannel) -> bool:
    """Whether the first request of a connection keeps nobody waiting.

    One whose answer may have to wait for a slow client, behind others on the
    same connection, does.
    """
    request = channel.requests[0]
    if request.error is not None or len(channel.requests) > 1 or channel.total_outbufs_len:
        return False
    body = request.body_rcv
    return request.path.startswith(PATHS) and (body is None or len(body) <= SMALL_BODY)
