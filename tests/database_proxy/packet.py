"""Packets: a header of three bytes of size and one of place, then so many bytes."""

import asyncio
import struct
from dataclasses import dataclass
from typing import Self

HEADER = 4
# A packet of so many bytes goes on in the next one.
FULL = 0xFFFFFF
# The first byte of what a server sends.
OK, ERROR, END = 0x00, 0xFF, 0xFE
# Bytes of the packet behind the last row or column, at most: a row that begins like it is longer.
END_SIZE = 8
# Flags of the server's status in OK and END packets.
MORE_RESULTS, CURSOR_EXISTS = 0x0008, 0x0040


@dataclass(frozen=True)
class Packet:
    """One packet, or several that are one: as they came, and what is in them."""

    raw: bytes
    payload: bytes
    # The place of the last part; an answer goes on from here.
    place: int

    @classmethod
    def made(cls, payload: bytes, place: int) -> Self:
        """A small packet of our own."""
        header = struct.pack("<I", len(payload))[:3] + bytes([place])
        return cls(header + payload, payload, place)

    @property
    def kind(self) -> int:
        """The first byte."""
        return self.payload[0]

    @property
    def is_end(self) -> bool:
        """Whether it ends rows, or the descriptions of columns."""
        return self.kind == END and len(self.payload) <= END_SIZE

    @property
    def status(self) -> int:
        """The server's status, which OK and END packets tell."""
        if self.is_end:
            return int.from_bytes(self.payload[3:5], "little")
        at = 1
        for _ in range(2):
            _, at = number(self.payload, at)
        return int.from_bytes(self.payload[at : at + 2], "little")


def number(data: bytes, at: int) -> tuple[int, int]:
    """The number of one to nine bytes that begins there, and where the next thing does."""
    sizes = {0xFC: 2, 0xFD: 3, 0xFE: 8}
    first, at = data[at], at + 1
    if first not in sizes:
        return first, at
    end = at + sizes[first]
    return int.from_bytes(data[at:end], "little"), end


async def read(reader: asyncio.StreamReader) -> Packet | None:
    """The next packet; None at the end of the connection, be it in mid-packet."""
    raw, payload = [], []
    try:
        while True:
            header = await reader.readexactly(HEADER)
            data = await reader.readexactly(int.from_bytes(header[:3], "little"))
            raw += [header, data]
            payload.append(data)
            if len(data) < FULL:
                return Packet(b"".join(raw), b"".join(payload), header[3])
    except (asyncio.IncompleteReadError, OSError):
        return None


def error(number_: int, state: str, text: str, place: int) -> Packet:
    """A packet that tells of an error."""
    payload = struct.pack("<BH", ERROR, number_) + f"#{state}{text}".encode()
    return Packet.made(payload, place)
