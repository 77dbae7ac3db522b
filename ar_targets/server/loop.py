"""Waits for what clients send, on all connections at once.

Waitress asks every connection before each wait whether it wants to read or
write, and is woken once more after each answer: a request costs the more, the
more clients are connected. Here the kernel keeps what each connection waits
for (epoll(7)); it is told anew when that changes, by the thread that has
changed it, and by nobody else.

A connection that has something to tell falls silent (``EPOLLONESHOT``) until
somebody asks for it again: whoever answers it then has it alone.

In the same thread run the fibres that answer small requests (`turns`); the
kernel tells here, too, when the database has answered one of them.
"""

import math
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from waitress import wasyncore

from ..fibre import Fibre
from .patience import ImpatientChannel
from .shares import Share

# Seconds after which each connection is looked at, for time that has run out.
SWEEP = 1
# Seconds for which a new connection is left to another worker, and how often.
PASS, PASSES = 0.0005, 4

# The connection that a thread or a fibre is answering.
answered: ContextVar[ImpatientChannel] = ContextVar("answered")


class PollLoop:
    """Waitress's own loop, where there is no epoll: on macOS."""

    # Whether it runs fibres.
    takes_turns = False

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

    def interrupt(self) -> None:
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
    """A loop whose turns cost what has happened, not what might. It is a `fibre.Waker`."""

    takes_turns = True

    def __init__(self, listeners: Sequence[Any], share: Share | None = None) -> None:
        super().__init__(listeners, share)
        self._epoll = select.epoll()
        # Held while the kernel is told, so that what it is told last is what is true last.
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self._soon: deque[Callable[[], object]] = deque()
        # By what they wait for: who sleeps, and until when at most.
        self._asleep: dict[int, tuple[Fibre, float]] = {}
        self._interrupt = listeners[0].pull_trigger
        self._next_sweep = 0.0
        self._passed = self._connected = 0
        for number in self._map:
            self._epoll.register(number, select.EPOLLIN)
        for listener in listeners:
            # How waitress's threads say that a connection has changed.
            listener.pull_trigger = self._answered

    def turn(self, timeout: float) -> None:
        """As for `PollLoop`."""
        for number, happened in self._epoll.poll(0 if self._soon else min(timeout, SWEEP)):
            if number in self._asleep:
                sleeper, _ = self._asleep.pop(number)
                sleeper.switch()
                continue
            each = self._map.get(number)
            # Something before it in this turn may have closed it.
            if each is not None and not (each.accepting and self._passes()):
                wasyncore.readwrite(each, happened)
                self._look(each)
        for _ in range(len(self._soon)):
            self._soon.popleft()()
        if (now := time.monotonic()) >= self._next_sweep:
            self._next_sweep = now + SWEEP
            # Waitress measures how long clients have been silent while it asks who may speak.
            for each in list(self._map.values()):
                self._look(each)
            self._give_up(now)
        if len(self._map) != self._connected:
            self._connected = len(self._map)
            self._note()

    def interrupt(self) -> None:
        """As for `PollLoop`."""
        self._interrupt()

    def soon(self, work: Callable[[], object]) -> None:
        """As for `fibre.Waker`."""
        self._soon.append(work)
        if threading.get_ident() != self._thread:
            self._interrupt()

    def wake(self, fibre: Fibre, number: int, seconds: float | None, *, to_write: bool) -> None:
        """As for `fibre.Waker`."""
        until = math.inf if seconds is None else time.monotonic() + seconds
        self._asleep[number] = fibre, until
        wanted = (select.EPOLLOUT if to_write else select.EPOLLIN) | select.EPOLLONESHOT
        try:
            self._epoll.modify(number, wanted)
        except FileNotFoundError:
            self._epoll.register(number, wanted)

    def add(self, channel: ImpatientChannel) -> None:
        """As for `PollLoop`."""
        with self._lock:
            self._epoll.register(channel.socket, select.EPOLLONESHOT)
        self.changed(channel)

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
        answered.set(channel)

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
        channel = answered.get()
        channel.rest()
        self.changed(channel)

    def _give_up(self, now: float) -> None:
        """Wake those who have slept too long."""
        for number, (sleeper, until) in list(self._asleep.items()):
            if now >= until:
                del self._asleep[number]
                sleeper.throw(TimeoutError("timed out"))

    def _look(self, each: Any) -> None:
        if isinstance(each, ImpatientChannel):
            self.changed(each)
        elif each in self._listeners:
            # It wants no more connections when there are too many.
            self._epoll.modify(each.socket, select.EPOLLIN * bool(each.readable()))


Loop = EpollLoop if hasattr(select, "epoll") else PollLoop
