"""What the server sends: packets, and the numbers in them."""

from typing import Any

from pymysql.err import raise_mysql_exception

# The first byte of a packet that tells of an error.
ERROR = 0xFF
# Bytes of a packet that goes on in the next.
FULL = 0xFFFFFF
# A length, or a number, is its first byte if that is below `LONG`; else that
# says how many bytes belong to it, itself included.
LONG = 0xFB
PREFIXES = {0xFC: 3, 0xFD: 4, 0xFE: 9}


def first(connection: Any) -> bytes:
    """The first packet of an answer. Raises the error that it tells of, or the driver's own."""
    # Answers are counted by their packets, from 1.
    connection._next_seq_id = 1  # noqa: SLF001
    data: bytes = connection._read_packet().get_all_data()  # noqa: SLF001
    return data


def following(connection: Any) -> bytes:
    """The next packet of the answer, read with less ado; raises what `first` does."""
    data = _part(connection)
    if data[0] == ERROR:
        raise_mysql_exception(data)
    if len(data) == FULL:
        parts = [data]
        while len(parts[-1]) == FULL:
            parts.append(_part(connection))
        data = b"".join(parts)
    return data


def _part(connection: Any) -> bytes:
    header = connection._read_bytes(4)  # noqa: SLF001
    size = header[0] | header[1] << 8 | header[2] << 16
    data: bytes = connection._read_bytes(size)  # noqa: SLF001
    return data


def number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where what follows it begins."""
    if data[at] < LONG:
        return data[at], at + 1
    end = at + PREFIXES[data[at]]
    return int.from_bytes(data[at + 1 : end], "little"), end
