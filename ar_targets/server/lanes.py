"""Who answers which request: threads, some for passwords or uploads alone, or the loop's own.

One hash takes tens of milliseconds of a processor and 19 MiB. Were all threads
to take logins, a flood of them would leave none for the rest of the API, and
memory would go by the number of threads. In a lane of their own they wait for
each other, and for nobody else. So do uploads, each of which takes some times
the memory of its image. Small requests need no other thread (`turns`).
"""

import logging
import re
import threading
import time
from queue import Empty, SimpleQueue

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from .turns import SMALL_BODY, Turns, is_small

log = logging.getLogger(__name__)

# Threads of a process that hash. Each can keep one processor busy.
HASHING_THREADS = 2
HASHING_METHODS = ("POST", "PUT", "PATCH")
HASHING_PATHS = re.compile(r"/(api|admin)/(login|user)(/|$)")
# Seconds that requests have to end when their threads are to.
PATIENCE = 5


class Lane:
    """Threads that answer connections in the order of their requests.

    Waitress's own wait for each other at a lock of several layers, which costs
    more than what is done under it; `SimpleQueue` is C.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._queue: SimpleQueue[HTTPChannel | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, channel: HTTPChannel) -> None:
        """Queue a connection for its first request."""
        self._queue.put(channel)

    def end(self) -> None:
        """Let the threads end after what they are at; cancel what nobody has begun."""
        while True:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                break
            if waiting is not None:
                waiting.cancel()
        for _ in self._threads:
            self._queue.put(None)

    def join(self, deadline: float) -> None:
        """Wait for the threads until then, by time.monotonic()."""
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))

    def _work(self) -> None:
        while (channel := self._queue.get()) is not None:
            try:
                channel.service()
            except BaseException:
                # The thread is needed for others.
                log.exception("a connection could not be answered")


class Lanes:
    """What waitress calls its task dispatcher."""

    # Once there is a loop that takes some.
    turns: Turns | None = None

    def __init__(self, threads: int) -> None:
        """Half of the threads are for uploads; each lane has one at least."""
        uploading = max(1, threads // 2)
        usual = max(1, threads - uploading)
        self._usual = Lane("request", usual)
        self._uploads = Lane("upload", uploading)
        self._hashing = Lane("hashing", HASHING_THREADS)
        # How many threads there are.
        self.threads = usual + uploading + HASHING_THREADS

    def add_task(self, channel: HTTPChannel) -> None:
        """Queue a connection for its first request."""
        if hashes(request := channel.requests[0]):
            self._hashing.add(channel)
        elif uploads(request):
            self._uploads.add(channel)
        elif self.turns is not None and is_small(channel):
            self.turns.add(channel)
        else:
            self._usual.add(channel)

    def shutdown(self) -> None:
        """Let requests end, and cancel those that have not begun."""
        if self.turns is not None:
            self.turns.end()
        lanes = (self._usual, self._uploads, self._hashing)
        for lane in lanes:
            lane.end()
        deadline = time.monotonic() + PATIENCE
        for lane in lanes:
            lane.join(deadline)


def hashes(request: HTTPRequestParser) -> bool:
    """Whether a request may hash a password. One that cannot be read has no path."""
    if request.error is not None or request.command not in HASHING_METHODS:
        return False
    return HASHING_PATHS.match(request.path) is not None


def uploads(request: HTTPRequestParser) -> bool:
    """Whether a request has a large body."""
    return request.body_rcv is not None and len(request.body_rcv) > SMALL_BODY
