"""What a client asks for: the first byte of its packet, and what follows."""

from dataclasses import dataclass
from enum import IntEnum

from .packet import Packet


class Kind(IntEnum):
    """The commands that drivers send. Any other is answered by one packet, too."""

    QUIT = 0x01
    INIT_DB = 0x02
    QUERY = 0x03
    STATISTICS = 0x09
    PROCESS_KILL = 0x0C
    PING = 0x0E
    PREPARE = 0x16
    EXECUTE = 0x17
    LONG_DATA = 0x18
    CLOSE = 0x19
    RESET_STATEMENT = 0x1A
    SET_OPTION = 0x1B
    FETCH = 0x1C
    RESET_CONNECTION = 0x1F
    BULK_EXECUTE = 0xFA


# What nobody answers.
UNANSWERED = {Kind.QUIT, Kind.LONG_DATA, Kind.CLOSE}
# What may be answered with rows.
WITH_ROWS = {Kind.QUERY, Kind.EXECUTE, Kind.BULK_EXECUTE}
EXECUTES = {Kind.EXECUTE, Kind.BULK_EXECUTE}
# In place of a number: the statement that was prepared last, in the same breath.
LAST = 0xFFFFFFFF


@dataclass(frozen=True)
class Command:
    """One of them, and its packet."""

    packet: Packet

    @property
    def kind(self) -> int:
        """What is asked for."""
        return self.packet.kind

    @property
    def name(self) -> str:
        """What people call it."""
        return Kind(self.kind).name if self.kind in set(Kind) else f"command {self.kind:#x}"

    @property
    def is_answered(self) -> bool:
        """Whether the client waits for something."""
        return self.kind not in UNANSWERED

    @property
    def text(self) -> str:
        """The SQL of a QUERY or PREPARE."""
        return self.packet.payload[1:].decode(errors="replace")

    @property
    def statement_id(self) -> int:
        """The number of the prepared statement that is meant."""
        return int.from_bytes(self.packet.payload[1:5], "little")
