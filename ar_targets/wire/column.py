"""Reads the values of one column, and nothing about them.

PyMySQL describes each column, then takes each row apart. Here a row is one
value of bytes, which the caller knows how to read: one in a few steps, where
the driver takes a hundred.
"""

from collections.abc import Mapping
from typing import Any

from pymysql.constants import COMMAND
from pymysql.err import raise_mysql_exception

from . import give_up, require_open, understands

# The first byte of a packet that is no row: the end, or an error.
END, ERROR = 0xFE, 0xFF
# Bytes of the packet at the end, at most. A row that begins like it has more.
END_SIZE = 9
# Bytes that go before a value, by the first of them; a smaller one is a length itself.
PREFIXES = {0xFC: 3, 0xFD: 4, 0xFE: 9}
SHORT = 0xFB
# Bytes of a packet that goes on in the next.
FULL = 0xFFFFFF


def read(connection: Any, statement: str, parameters: Mapping[str, object]) -> list[bytes]:
    """The values of a SELECT of one column of text or bytes, never NULL.

    Raises the driver's errors.
    """
    cursor = connection.cursor()
    if not understands(connection):
        cursor.execute(statement, parameters)
        return [_bytes(value) for (value,) in cursor.fetchall()]
    require_open(connection)
    text = cursor.mogrify(statement, parameters)
    try:
        connection._execute_command(COMMAND.COM_QUERY, text)  # noqa: SLF001
        # How many columns: it raises an error of the statement's.
        connection._read_packet()  # noqa: SLF001
        # What the column is called, and that there is no other.
        _packet(connection)
        _packet(connection)
        return _values(connection)
    except BaseException as error:
        give_up(connection, error)
        raise


def _values(connection: Any) -> list[bytes]:
    values = []
    while True:
        packet = _packet(connection)
        first = packet[0]
        if first < SHORT:
            values.append(packet[1:])
        elif first == END and len(packet) < END_SIZE:
            return values
        elif first == ERROR:
            raise_mysql_exception(packet)
        else:
            values.append(packet[PREFIXES[first] :])


def _packet(connection: Any) -> bytes:
    header = connection._read_bytes(4)  # noqa: SLF001
    size = header[0] | header[1] << 8 | header[2] << 16
    packet: bytes = connection._read_bytes(size)  # noqa: SLF001
    return packet if size < FULL else packet + _packet(connection)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
