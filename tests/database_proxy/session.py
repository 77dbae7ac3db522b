"""One client's connection through the proxy: one command after the other, each with its answer.

What a client sends ahead of the answers waits here, as it would in the server.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from ..soak.proxy import Link, Streams
from . import answer, fault, greeting, packet
from .command import EXECUTES, LAST, Command, Kind
from .packet import Packet
from .statement import SETS_UP, Statement

if TYPE_CHECKING:
    from .proxy import DatabaseProxy

# Seconds for which a counted answer is held back. What comes meanwhile was sent without
# waiting for it, and belongs to the same round trip.
GRACE = 0.005


class CutError(Exception):
    """This connection ends here."""


class Session:
    """A connection and its continuation."""

    def __init__(
        self, proxy: "DatabaseProxy", link: Link, client: Streams, server: Streams
    ) -> None:
        self._proxy, self._link = proxy, link
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._asked: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._said: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._texts: dict[int, str] = {}
        self._last_id = 0
        # Whether the client has sent something since it was last answered.
        self._is_asking = False
        # Whether the server has taken the client for who it is.
        self._is_known = asyncio.Event()
        # Whether all that has come so far sets up the session.
        self._is_new = True
        self.thread = 0

    async def run(self) -> None:
        """Until one of the two ends it, or a fault."""
        listening = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._hear())]
        try:
            with contextlib.suppress(OSError, CutError, answer.LostError):
                await self._greet()
                async for command in self._commands():
                    await self._serve(command)
        finally:
            # First of all, so that nothing more is read.
            self._link.close()
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)

    async def _listen(self) -> None:
        """Take what the client sends, as soon as it does."""
        while (asked := await packet.read(self._from_client)) is not None:
            if self._is_known.is_set():
                self._is_asking = True
                await self._asked.put(asked)
            else:
                await self._send(self._to_server, asked)
        await self._asked.put(None)

    async def _hear(self) -> None:
        """Take what the server sends."""
        while (said := await packet.read(self._from_server)) is not None:
            await self._said.put(said)
        await self._said.put(None)

    async def _greet(self) -> None:
        """Let them get to know each other: until the server says OK, or no."""
        hello = await self._next_said()
        if hello.kind == packet.ERROR:
            await self._send(self._to_client, hello)
            raise CutError
        self.thread = greeting.thread(hello)
        await self._send(self._to_client, greeting.reduced(hello))
        while True:
            said = await self._next_said()
            if said.kind == packet.OK:
                self._is_known.set()
            await self._send(self._to_client, said)
            if said.kind == packet.ERROR:
                raise CutError
            if said.kind == packet.OK:
                return

    async def _commands(self) -> AsyncIterator[Command]:
        """What the client asks for. Meanwhile the server may speak unasked, and end."""
        unasked = asyncio.ensure_future(self._said.get())
        asked = asyncio.ensure_future(self._asked.get())
        try:
            while True:
                await asyncio.wait({asked, unasked}, return_when=asyncio.FIRST_COMPLETED)
                if unasked.done():
                    said = unasked.result()
                    if said is None:
                        return
                    await self._send(self._to_client, said)
                    unasked = asyncio.ensure_future(self._said.get())
                elif (packet_ := asked.result()) is None:
                    return
                else:
                    unasked.cancel()
                    yield Command(packet_)
                    unasked = asyncio.ensure_future(self._said.get())
                    asked = asyncio.ensure_future(self._asked.get())
        finally:
            unasked.cancel()
            asked.cancel()

    async def _serve(self, command: Command) -> None:
        """Forward a command and its answer, unless something happens to it."""
        for count in self._proxy.counts:
            count.commands.append(command.name)
        if not command.is_answered:
            if command.kind == Kind.CLOSE:
                self._texts.pop(command.statement_id, None)
            await self._send(self._to_server, command.packet)
        elif (statement := self._statement(command)) is None:
            await self._answer(await self._ask(command))
        else:
            for count in self._proxy.counts:
                count.statements.append(statement)
            await self._execute(command, self._proxy.way_of(statement))

    async def _execute(self, command: Command, way: fault.Way | None) -> None:
        """Let a statement be executed, or what happens to it happen."""
        if isinstance(way, fault.Refuse):
            await self._refuse(command, way)
            return
        if way == fault.CUT_BEFORE:
            raise CutError
        said = await self._ask(command)
        if way == fault.CUT_AFTER:
            raise CutError
        if isinstance(way, fault.Delay):
            await asyncio.sleep(way.seconds)
        await self._answer(said)

    def _statement(self, command: Command) -> Statement | None:
        """The statement that a command executes, if it does."""
        if command.kind == Kind.PREPARE:
            self._look(command.text)
        elif command.kind == Kind.QUERY:
            self._look(command.text)
            return Statement(self.thread, command.text, prepared=False, sets_up=self._is_new)
        elif command.kind in EXECUTES:
            number = command.statement_id
            text = self._texts.get(self._last_id if number == LAST else number, "")
            return Statement(self.thread, text, prepared=True, sets_up=self._is_new)
        return None

    def _look(self, text: str) -> None:
        """Whether the session is still being set up."""
        self._is_new = self._is_new and SETS_UP.match(text) is not None

    async def _ask(self, command: Command) -> list[Packet]:
        """Forward a command; its answer."""
        await self._send(self._to_server, command.packet)
        said = await answer.read(self._said.get, command)
        if command.kind == Kind.PREPARE and said[0].kind == packet.OK:
            self._last_id = int.from_bytes(said[0].payload[1:5], "little")
            self._texts[self._last_id] = command.text
        return said

    async def _refuse(self, command: Command, way: fault.Refuse) -> None:
        """Answer with an error that the server knows nothing of, and see that it might be true."""
        if way.rolls_back:
            await self._ask(Command(Packet.made(bytes([Kind.QUERY]) + b"ROLLBACK", 0)))
        place = (command.packet.place + 1) % 256
        await self._answer([packet.error(way.number, way.state, way.text, place)])
        if way.closes:
            raise CutError

    async def _answer(self, said: Iterable[Packet]) -> None:
        """Let the client hear it."""
        if self._proxy.counts:
            await asyncio.sleep(GRACE)
        if self._is_asking and not self._is_new:
            for count in self._proxy.counts:
                count.by_connection[self.thread] += 1
        # What has come by now came before the answer.
        self._is_asking = False
        await self._send(self._to_client, *said)

    async def _next_said(self) -> Packet:
        said = await self._said.get()
        if said is None:
            raise CutError
        return said

    async def _send(self, writer: asyncio.StreamWriter, *packets: Packet) -> None:
        """Send packets, or as much of them as the proxy's own cuts let through."""
        await self._proxy.send(self._link, writer, b"".join(each.raw for each in packets))
        if self._link.left == 0:
            raise CutError
