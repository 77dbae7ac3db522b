"""Threads of their own for requests that hash a password.

One hash takes tens of milliseconds of a processor and 19 MiB. Were all threads
to take logins, a flood of them would leave none for the rest of the API, and
memory would go by the number of threads. In a lane of their own they wait for
each other, and for nobody else.
"""

import re

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ThreadedTaskDispatcher

# Threads of a process that hash. Each can keep one processor busy.
HASHING_THREADS = 2
HASHING_METHODS = ("POST", "PUT", "PATCH")
HASHING_PATHS = re.compile(r"/(api|admin)/(login|user)(/|$)")


class Lanes(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """Waitress's dispatcher of requests to threads, with a second one beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.hashing = ThreadedTaskDispatcher()

    def set_thread_count(self, count: int) -> None:
        """Start or stop threads; those that hash come on top."""
        super().set_thread_count(count)
        self.hashing.set_thread_count(HASHING_THREADS if count else 0)

    def add_task(self, task: HTTPChannel) -> None:
        """Queue a connection for its first request."""
        if hashes(task.requests[0]):
            self.hashing.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:  # noqa: FBT001, FBT002  # waitress calls it so
        """Let requests end, and cancel those that have not begun."""
        self.set_thread_count(0)
        self.hashing.shutdown(cancel_pending, timeout)
        ended: bool = super().shutdown(cancel_pending, timeout)
        return ended


def hashes(request: HTTPRequestParser) -> bool:
    """Whether a request may hash a password. One that cannot be read has no path."""
    if request.error is not None or request.command not in HASHING_METHODS:
        return False
    return HASHING_PATHS.match(request.path) is not None
