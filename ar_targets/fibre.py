"""Work that gives way to other work while it waits for the database.

The thread that serves the connections answers small requests itself, each as a
fibre: on a stack of its own (greenlet), which sleeps while the database works,
and leaves the thread to the next. Several requests wait at once, but no thread
for another, nor for a lock.

A fibre gives way in `wire.stream`, where it waits for bytes, and in what it does
`in_thread`, as connecting; nowhere else. In between, it has the thread to
itself, and must not wait for anything.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from greenlet import getcurrent, greenlet
from pyramid import threadlocal

if TYPE_CHECKING:
    from .line import Line

Done = TypeVar("Done")


class Waker(Protocol):
    """Whoever runs the thread of the fibres: `server.loop`."""

    def wake(self, fibre: "Fibre", number: int, seconds: float | None, *, to_write: bool) -> None:
        """Have a fibre go on once a file descriptor can be read, or written to.

        After so many seconds in vain TimeoutError is raised in it.
        """

    def soon(self, work: Callable[[], object]) -> None:
        """Have something called in that thread; any other may ask for it."""


class Fibre(greenlet):  # type: ignore[misc]  # greenlet has no types
    """One piece of work. The thread of its waker begins it with `switch`."""

    def __init__(self, work: Callable[..., object], waker: Waker, threads: Executor) -> None:
        super().__init__(work)
        self._waker, self._threads = waker, threads
        # The connection to the database that it keeps from one request to the next.
        self.line: Line | None = None

    def wait(self, number: int, seconds: float | None, *, to_write: bool = False) -> None:
        """Give way as long as a file descriptor lets us wait; see `Waker.wake`."""
        self._waker.wake(self, number, seconds, to_write=to_write)
        self._give_way()

    def in_thread(self, work: Callable[[], Done]) -> Done:
        """Give way to a thread that does what would block; returns or raises what that does."""
        result = self._threads.submit(work)
        result.add_done_callback(lambda _: self._waker.soon(self.switch))
        self._give_way()
        return result.result()

    def rest(self) -> Any:
        """Give way until there is more to do; returns what it is begun again with."""
        return self.parent.switch()

    def _give_way(self) -> None:
        # Pyramid keeps the current request by thread, which is that of others, too.
        manager: Any = threadlocal.manager
        mine, manager.stack = manager.stack, []
        try:
            self.parent.switch()
        finally:
            manager.stack = mine


def current() -> Fibre | None:
    """The fibre that asks, if it is one."""
    asking = getcurrent()
    return asking if isinstance(asking, Fibre) else None
