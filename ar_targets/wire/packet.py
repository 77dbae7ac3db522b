"""What both sides send: packets, and the numbers in them."""

import struct
from typing import Any

from pymysql.constants import CR
from pymysql.err import OperationalError, raise_mysql_exception

# Bytes that precede a packet: its size, and its place in the answer, which begins with 1.
HEADER, FIRST = 4, 1
# The first byte of a packet that tells of an error.
ERROR = 0xFF
# Bytes of a packet that goes on in the next.
FULL = 0xFFFFFF
# A length, or a number, is its first byte if that is below `LONG`; else that
# says how many bytes belong to it, itself included.
LONG = 0xFB
PREFIXES = {0xFC: 3, 0xFD: 4, 0xFE: 9}


def send(connection: Any, command: int, payload: bytes) -> None:
    """Send a command that fits into a packet. Raises the driver's errors."""
    connection._result = None  # noqa: SLF001
    connection._write_bytes(head(command, len(payload)) + payload)  # noqa: SLF001


def head(command: int, size: int) -> bytes:
    """What precedes so many bytes of a command: size, place (0), and the command itself."""
    return struct.pack("<iB", size + 1, command)


def first(connection: Any) -> bytes:
    """The first packet of an answer. Raises the error that it tells of, or the driver's own."""
    if connection._current_timeout != connection._read_timeout:  # noqa: SLF001
        connection._sock.settimeout(connection._read_timeout)  # noqa: SLF001
        connection._current_timeout = connection._read_timeout  # noqa: SLF001
    header = connection._read_bytes(HEADER)  # noqa: SLF001
    if header[-1] != FIRST:
        # Said unasked: the server ends the connection.
        raise lost(connection)
    return _whole(connection, _rest(connection, header))


def following(connection: Any) -> bytes:
    """The next packet of the answer; raises what `first` does."""
    return _whole(connection, _part(connection))


def several(connection: Any) -> list[bytes]:
    """The next packets of the answer: those that have come whole, one at least.

    Raises what `first` does. Nothing may be expected after this answer.
    """
    data = _come(connection)
    packets, at = [], 0
    # As long as there is a header, and something behind it.
    while (start := at + HEADER) < len(data):
        end = start + (data[at] | data[at + 1] << 8 | data[at + 2] << 16)
        if end > len(data):
            break
        packets.append(data[start:end])
        at = end
    if not packets:
        return [following(connection)]
    connection._rfile.read(at)  # noqa: SLF001
    # Nothing comes after an error.
    if packets[-1][0] == ERROR:
        raise_mysql_exception(packets[-1])
    return packets


def _come(connection: Any) -> bytes:
    """What has come, and not been read; waits for something."""
    try:
        data: bytes = connection._rfile.peek()  # noqa: SLF001
    except OSError as error:
        raise lost(connection, f" ({error})") from error
    return data


def lost(connection: Any, why: str = "") -> OperationalError:
    """The driver's error for a connection that has ended, which is closed."""
    connection._force_close()  # noqa: SLF001
    message = "Lost connection to MySQL server during query"
    return OperationalError(CR.CR_SERVER_LOST, message + why)


def _whole(connection: Any, data: bytes) -> bytes:
    """A packet, of which this is the first part."""
    if data[0] == ERROR:
        raise_mysql_exception(data)
    if len(data) == FULL:
        parts = [data]
        while len(parts[-1]) == FULL:
            parts.append(_part(connection))
        data = b"".join(parts)
    return data


def _part(connection: Any) -> bytes:
    return _rest(connection, connection._read_bytes(HEADER))  # noqa: SLF001


def _rest(connection: Any, header: bytes) -> bytes:
    """What follows a header, which tells its size."""
    size = header[0] | header[1] << 8 | header[2] << 16
    data: bytes = connection._read_bytes(size)  # noqa: SLF001
    return data


def number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where what follows it begins."""
    if data[at] < LONG:
        return data[at], at + 1
    end = at + PREFIXES[data[at]]
    return int.from_bytes(data[at + 1 : end], "little"), end
