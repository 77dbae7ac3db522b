"""Waits for what clients send, on all connections at once.

Waitress asks every connection before each wait whether it wants to read or
write, and is woken once more after each answer: a request costs the more, the
more clients are connected. Here the kernel keeps what each connection waits
for (epoll(7)); it is told anew when that changes, by the thread that has
changed it, and by nobody else.

A connection that has something to tell falls silent (``EPOLLONESHOT``) until
somebody asks for it again: whoever answers it then has it alone.
"""

import select
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from waitress import wasyncore

from .patience import ImpatientChannel
from .shares import Share

# Seconds after which each connection is looked at, for time that has run out.
SWEEP = 1
# Seconds for which a new connection is left to another worker, and how often.
PASS, PASSES = 0.0005, 4


class PollLoop:
    """Waitress's own loop, where there is no epoll: on macOS."""

    def __init__(self, listeners: Sequence[Any], share: Share | None = None) -> None:
        """``share`` is what several workers know of each other."""
        self._listeners, self._share = listeners, share
        self._map = listeners[0]._map  # noqa: SLF001  # one for all, as waitress makes them

    @property
    def channels(self) -> list[ImpatientChannel]:
        """The connections with clients."""
        return [each for each in self._map.values() if isinstance(each, ImpatientChannel)]

    def turn(self, timeout: float) -> None:
        """Wait for something to happen, for so many seconds at most, and see to it."""
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._map, count=1)

    def wake(self) -> None:
        """End the wait that is under way; from any thread or signal handler."""
        self._listeners[0].pull_trigger()

    def add(self, channel: ImpatientChannel) -> None:
        """A connection has come."""

    def changed(self, channel: ImpatientChannel) -> None:
        """A connection may want something else now."""

    def answering(self, channel: ImpatientChannel) -> None:
        """The calling thread is about to answer a connection."""

    def close(self) -> None:
        """Accept no more connections."""
        for listener in self._listeners:
            wasyncore.dispatcher.close(listener)


class EpollLoop(PollLoop):
    """A loop whose turns cost what has happened, not what might."""

    def __init__(self, listeners: Sequence[Any], share: Share | None = None) -> None:
        super().__init__(listeners, share)
        self._epoll = select.epoll()
        # Held while the kernel is told, so that what it is told last is what is true last.
        self._lock = threading.Lock()
        self._here = threading.local()
        self._wake = listeners[0].pull_trigger
        self._next_sweep = 0.0
        self._passed = 0
        for number in self._map:
            self._epoll.register(number, select.EPOLLIN)
        for listener in listeners:
            # How waitress's threads say that a connection has changed.
            listener.pull_trigger = self._answered

    def turn(self, timeout: float) -> None:
        """As for `PollLoop`."""
        for number, happened in self._epoll.poll(min(timeout, SWEEP)):
            each = self._map.get(number)
            # Something before it in this turn may have closed it.
            if each is not None and not (each.accepting and self._passes()):
                wasyncore.readwrite(each, happened)
                self._look(each)
        if (now := time.monotonic()) >= self._next_sweep:
            self._next_sweep = now + SWEEP
            # Waitress measures how long clients have been silent while it asks who may speak.
            for each in list(self._map.values()):
                self._look(each)
        self._note()

    def wake(self) -> None:
        """As for `PollLoop`."""
        self._wake()

    def add(self, channel: ImpatientChannel) -> None:
        """As for `PollLoop`."""
        with self._lock:
            self._epoll.register(channel.socket, select.EPOLLONESHOT)
        self.changed(channel)
        self._note()

    def changed(self, channel: ImpatientChannel) -> None:
        """As for `PollLoop`. Whoever waits for our answer alone is left silent."""
        with self._lock:
            if (number := channel.number) is None:
                return
            wanted = select.EPOLLIN * bool(channel.readable())
            wanted |= select.EPOLLOUT * bool(channel.writable())
            if wanted:
                # Another thread may be closing it.
                with suppress(OSError):
                    self._epoll.modify(number, wanted | select.EPOLLONESHOT)

    def answering(self, channel: ImpatientChannel) -> None:
        """As for `PollLoop`."""
        self._here.channel = channel

    def close(self) -> None:
        """As for `PollLoop`."""
        for listener in self._listeners:
            # Other processes have this socket too: to close ours would not take it out.
            self._epoll.unregister(listener.socket)
        super().close()

    def _passes(self) -> bool:
        """Whether to leave a new connection to a worker that has fewer; it must be awake soon."""
        if self._share is None or self._passed == PASSES or not self._share.is_larger():
            self._passed = 0
            return False
        self._passed += 1
        time.sleep(PASS)
        return True

    def _note(self) -> None:
        if self._share is not None:
            self._share.note(sum(len(each.active_channels) for each in self._listeners))

    def _answered(self) -> None:
        """The connection that this thread is answering has changed."""
        channel: ImpatientChannel = self._here.channel
        channel.rest()
        self.changed(channel)

    def _look(self, each: Any) -> None:
        if isinstance(each, ImpatientChannel):
            self.changed(each)
        elif each in self._listeners:
            # It wants no more connections when there are too many.
            self._epoll.modify(each.socket, select.EPOLLIN * bool(each.readable()))


Loop = EpollLoop if hasattr(select, "epoll") else PollLoop
