"""The proxy in front of the database. All that it does to connections, `Proxy` does, too."""

import contextlib
import time
from collections.abc import Iterator

from sqlalchemy import make_url

from ..soak.proxy import HOST, Link, Proxy, Streams, Upstream
from .count import Count
from .fault import Fault, Way, When
from .session import Session
from .statement import Statement

# Seconds without a command after which a request is taken to be over.
QUIET = 0.03


class DatabaseProxy(Proxy):
    """Passes a database's connections on; understands what is said on them."""

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(upstream)
        # Replaced, never changed: the proxy's own thread reads them.
        self.counts: tuple[Count, ...] = ()
        self._faults: tuple[Fault, ...] = ()
        self._last_sent = 0.0

    def url_for(self, url: str) -> str:
        """The same database by way of this proxy, with the same driver."""
        made = make_url(url).difference_update_query(["unix_socket"])
        return made.set(host=HOST, port=self.port).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def counting(self) -> Iterator[Count]:
        """Count what passes. It ends when nothing has for a moment: the last thing that a request
        does may come behind its answer.
        """
        count = Count()
        self.counts += (count,)
        try:
            yield count
            self.settle()
        finally:
            self.counts = tuple(other for other in self.counts if other is not count)

    @contextlib.contextmanager
    def failing(self, when: When, way: Way, times: int | None = 1) -> Iterator[Fault]:
        """Strike statements: the first for which ``when`` is true, or so many, or (None) all."""
        fault = Fault(when, way, times)
        self._faults += (fault,)
        try:
            yield fault
            self.settle()
        finally:
            self._faults = tuple(other for other in self._faults if other is not fault)

    def settle(self) -> None:
        """Wait until nothing has been sent for a moment."""
        begun = time.monotonic()
        while time.monotonic() < max(begun, self._last_sent) + QUIET:
            time.sleep(QUIET / 3)

    def way_of(self, statement: Statement) -> Way | None:
        """What happens to a statement; None where it passes."""
        ways = [fault.way for fault in self._faults if fault.strikes(statement)]
        return ways[0] if ways else None

    async def send(self, link: Link, writer, data: bytes) -> None:
        """Send some bytes on a connection, when and as far as they may get."""
        self._last_sent = time.monotonic()
        await super().send(link, writer, data)

    async def _forward(self, link: Link, client: Streams, server: Streams) -> None:
        await Session(self, link, client, server).run()


def upstream_of(url: str) -> Upstream:
    """Where the server of a URL listens."""
    named = make_url(url)
    place = named.query.get("unix_socket") or (named.host or HOST, named.port or 3306)
    return lambda: place
