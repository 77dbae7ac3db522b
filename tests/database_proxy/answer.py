"""What a server says to a command, from its first packet to its last."""

from collections.abc import Awaitable, Callable

from .command import WITH_ROWS, Command, Kind
from .packet import CURSOR_EXISTS, ERROR, MORE_RESULTS, OK, Packet

# Where the next packet comes from; None: the connection has ended.
Source = Callable[[], Awaitable[Packet | None]]
# The first byte of the answer to LOAD DATA LOCAL, which wants a file.
LOCAL_FILE = 0xFB


class LostError(Exception):
    """The server has ended the connection within an answer."""


async def read(source: Source, command: Command) -> list[Packet]:
    """All packets of an answer."""
    read_: list[Packet] = []

    async def following() -> Packet:
        packet = await source()
        if packet is None:
            raise LostError
        read_.append(packet)
        return packet

    if command.kind in WITH_ROWS:
        while await _result(following) & MORE_RESULTS:
            pass
    elif command.kind == Kind.PREPARE:
        await _preparation(following)
    elif command.kind == Kind.FETCH:
        await _until_end(following)
    else:
        await following()
    return read_


async def _result(following: Callable[[], Awaitable[Packet]]) -> int:
    """An OK, an error, or columns and rows; the server's status behind it."""
    first = await following()
    if first.kind == ERROR:
        return 0
    if first.kind == OK:
        return first.status
    if first.kind == LOCAL_FILE:
        raise NotImplementedError("LOAD DATA LOCAL")
    columns = await _until_end(following)
    if columns.kind == ERROR or columns.status & CURSOR_EXISTS:
        return 0
    last = await _until_end(following)
    return 0 if last.kind == ERROR else last.status


async def _preparation(following: Callable[[], Awaitable[Packet]]) -> None:
    first = await following()
    if first.kind == ERROR:
        return
    columns = int.from_bytes(first.payload[5:7], "little")
    parameters = int.from_bytes(first.payload[7:9], "little")
    for number in (parameters, columns):
        if number:
            await _until_end(following)


async def _until_end(following: Callable[[], Awaitable[Packet]]) -> Packet:
    """Descriptions of columns, or rows, and what ends them."""
    while True:
        packet = await following()
        if packet.kind == ERROR or packet.is_end:
            return packet
