"""How long the server waits for its clients, and for whom when there are too many.

A client that sends a byte now and then would keep a connection for ever; a
hundred of them, and nobody else could come in.
"""

import time
from collections import Counter
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel
from waitress.utilities import Error

# Seconds for a request to come in; its body gets more, by its size.
REQUEST_TIMEOUT = 30
# Bytes a second that a body must come at, on the whole: what a bad mobile network gives.
SLOWEST = 4096
# Connections that are left for those who come when there are almost too many.
SPARE = 8


class RequestTimeoutError(Error):  # type: ignore[misc]  # waitress has no types
    """A request that did not come in time."""

    code = 408
    reason = "Request Timeout"


class ImpatientChannel(HTTPChannel):  # type: ignore[misc]
    """A connection."""

    # The request that is coming in.
    request: Any
    request_timeout = REQUEST_TIMEOUT
    # When the request that is coming in began.
    begun = 0.0

    # The loop that serves it.
    loop: Any = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Of time.monotonic(): since when we wait for the client.
        self.waiting_since = time.monotonic()
        self.loop.add(self)
        if len(self._map) >= self.adj.connection_limit - SPARE:
            make_room(self)

    @property
    def number(self) -> int | None:
        """The number of the socket; None once it is closed."""
        number: int | None = self._fileno
        return number

    def send(self, data: Any, do_close: bool = True) -> int:  # noqa: FBT001, FBT002  # as waitress has it
        """Send some of it; how many bytes. What is in several places goes out at once."""
        sent: int
        if isinstance(data, tuple):
            with suppress(OSError):
                sent = self.socket.sendmsg(data)
                return sent
            # Waitress knows what to make of that.
            data = data[0]
        sent = super().send(data, do_close)
        return sent

    def service(self) -> None:
        """Answer a request that has arrived, in a thread of its own."""
        self.loop.answering(self)
        super().service()

    def rest(self) -> None:
        """The client's clock stands still while we are at work."""
        self.begun = self.waiting_since = time.monotonic()

    def received(self, data: bytes) -> bool:
        """Take in what has come."""
        before = self.request
        taken: bool = super().received(data)
        if self.request is not before:
            self.begun = time.monotonic()
        return taken

    def readable(self) -> bool:
        """Whether to read more; asked at least once a second while we are not at work."""
        if self.requests:
            self.rest()
        elif self.request is not None and self.is_late():
            self.give_up()
        wanted: bool = super().readable()
        return wanted

    def is_late(self) -> bool:
        """Whether the request that is coming in comes too slowly."""
        allowed: float = self.request_timeout + self.request.body_bytes_received / SLOWEST
        return time.monotonic() > self.begun + allowed

    def give_up(self) -> None:
        """Answer 408 to what has come so far, and close."""
        with self.requests_lock:
            self.request.error = RequestTimeoutError("the request did not come in time")
            self.request.completed = True
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)


def make_room(new: ImpatientChannel) -> None:
    """Close a connection that waits for its client.

    Of the address that has most of them, the one that has waited longest: who
    takes many loses one of them, and others keep theirs. Behind a proxy all
    have its address.
    """
    waiting = [
        channel
        for channel in new.server.active_channels.values()
        if channel is not new
        and not (channel.requests or channel.total_outbufs_len or channel.will_close)
    ]
    if waiting:
        number = Counter(channel.addr[0] for channel in waiting)
        greedy = max(waiting, key=lambda each: (number[each.addr[0]], -each.waiting_since))
        greedy.will_close = True
        greedy.loop.changed(greedy)
