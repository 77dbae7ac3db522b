"""Reads the values of one column, and nothing about them.

PyMySQL describes each column, then takes each row apart. Here a row is one
value of bytes, which the caller knows how to read: one in a few steps, where
the driver takes a hundred.
"""

from collections.abc import Mapping
from typing import Any

from pymysql.constants import COMMAND

from . import give_up, packet, require_open, text, understands
from .packet import LONG, PREFIXES

# The first byte of the packet after the last row, and its size at most: a row
# that begins like it is longer.
END, END_SIZE = 0xFE, 8


def read(connection: Any, statement: str, parameters: Mapping[str, object]) -> list[bytes]:
    """The values of a SELECT of one column of text or bytes, never NULL.

    Raises the driver's errors.
    """
    if not understands(connection):
        cursor = connection.cursor()
        cursor.execute(statement, parameters)
        return [_bytes(value) for (value,) in cursor.fetchall()]
    require_open(connection)
    query = text.render(connection, statement, parameters)
    try:
        packet.send(connection, COMMAND.COM_QUERY, query)
        # How many columns there are, what the only one is called, and that there is no other.
        packet.first(connection)
        packet.following(connection)
        packet.following(connection)
        return _values(connection)
    except BaseException as error:
        give_up(connection, error)
        raise


def _values(connection: Any) -> list[bytes]:
    """All that follows: rows, and what says that there are no more."""
    values: list[bytes] = []
    while True:
        for row in packet.several(connection):
            if row[0] == END and len(row) <= END_SIZE:
                return values
            values.append(row[1 if row[0] < LONG else PREFIXES[row[0]] :])


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
