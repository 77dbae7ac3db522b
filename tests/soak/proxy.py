"""A TCP proxy on loopback that cuts connections in mid-packet, or holds everything back."""

import asyncio
import contextlib
import random
import threading
from collections import deque
from collections.abc import Callable
from typing import Self

HOST = "127.0.0.1"
BLOCK = 65_536
# Bytes that a connection still gets through before it is cut: nothing, the head
# of a packet, part of a request, part of an image.
PIECES = (0, 3, 300, 3_000, 100_000)

# Where to connect to: a port of this machine, or of another, or the path of a unix socket.
Upstream = Callable[[], int | str | tuple[str, int]]

# One end of a connection.
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """One client's connection and its continuation; ``left`` counts the bytes before a cut."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self.ends = ends
        self.left: int | None = None

    def share(self, data: bytes) -> bytes:
        """What gets through of some bytes."""
        if self.left is None:
            return data
        data = data[: self.left]
        self.left -= len(data)
        return data

    def close(self) -> None:
        """End both connections; what has been forwarded still arrives."""
        for end in self.ends:
            end.close()


class Proxy:
    """Forwards what arrives on ``port``, in a thread of its own."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._links: set[Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        # How many bytes the next connections get through, in both directions together, before they
        # are cut; those behind them get all through.
        self.allowances: deque[int] = deque()
        self.port = 0

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self, chance: random.Random) -> int:
        """Let each connection get a little further, then no more; how many there are."""

        async def cut() -> int:
            for link in self._links:
                link.left = chance.choice(PIECES)
                if link.left == 0:
                    link.close()
            return len(self._links)

        return asyncio.run_coroutine_threadsafe(cut(), self._loop).result()

    @contextlib.contextmanager
    def frozen(self):
        """Hold everything back, new connections too, as a network that loses all packets."""
        self._loop.call_soon_threadsafe(self._flowing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flowing.set)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._flowing.set()
        for link in self._links:
            link.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            try:
                away_reader, away_writer = await self._connect()
            except OSError:
                writer.close()
                return
            link = Link(writer, away_writer)
            link.left = self.allowances.popleft() if self.allowances else None
            self._links.add(link)
            await self._forward(link, (reader, writer), (away_reader, away_writer))
            self._links.discard(link)

    async def _forward(self, link: Link, client: Streams, server: Streams) -> None:
        """Pass everything on, in both directions, until one of them ends."""
        pumps = [
            asyncio.ensure_future(self._pump(link, client[0], server[1])),
            asyncio.ensure_future(self._pump(link, server[0], client[1])),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        link.close()
        await asyncio.wait(pumps)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self._upstream()
        if isinstance(place, str):
            return await asyncio.open_unix_connection(place)
        return await asyncio.open_connection(
            *(place if isinstance(place, tuple) else (HOST, place))
        )

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward one direction until its end, or the cut."""
        with contextlib.suppress(OSError):
            while link.left != 0 and (data := await reader.read(BLOCK)):
                await self.send(link, writer, data)

    async def send(self, link: Link, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Send some bytes on a connection, when and as far as they may get."""
        await self._flowing.wait()
        writer.write(link.share(data))
        await writer.drain()
