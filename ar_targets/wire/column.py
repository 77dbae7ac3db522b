"""Reads the values of one column, or two, and nothing about them.

PyMySQL describes each column, then takes each row apart. Here a row is one
value of bytes, which the caller knows how to read, or such a one and a large
one: few steps, where the driver takes a hundred.
"""

from collections.abc import Mapping
from typing import Any

from pymysql.constants import COMMAND

from . import give_up, packet, prepared, require_open, text, understands
from .packet import LONG, PREFIXES

# The first byte of the packet after the last row, and its size at most: a row
# that begins like it is longer.
END, END_SIZE = 0xFE, 8
# In place of a value, in the answer to a text.
NULL = 0xFB
# Bytes before the values in the answer to a prepared statement: a zero, and a bit for each
# value that is NULL, the second one's among them.
BINARY_HEAD, SECOND_IS_NULL = 2, 1 << 3


def read(connection: Any, statement: str, parameters: Mapping[str, object]) -> list[bytes]:
    """The values of a SELECT of one column of text or bytes, never NULL.

    Raises the driver's errors.
    """
    if not understands(connection):
        cursor = connection.cursor()
        cursor.execute(statement, parameters)
        return [_bytes(value) for (value,) in cursor.fetchall()]
    rows, at = _rows(connection, statement, parameters, columns=1)
    return [row[at + (1 if row[at] < LONG else PREFIXES[row[at]]) :] for row in rows]


def read_pairs(
    connection: Any, statement: str, parameters: Mapping[str, object]
) -> list[tuple[bytes, bytes | None]]:
    """The values of two such columns, of which the second may be NULL."""
    if not understands(connection):
        cursor = connection.cursor()
        cursor.execute(statement, parameters)
        return [(_bytes(one), other and _bytes(other)) for one, other in cursor.fetchall()]
    rows, at = _rows(connection, statement, parameters, columns=2)
    return [_pair(row, at) for row in rows]


def _pair(row: bytes, at: int) -> tuple[bytes, bytes | None]:
    size, start = packet.number(row, at)
    first, rest = row[start : start + size], start + size
    if row[1] & SECOND_IS_NULL if at else row[rest] == NULL:
        return first, None
    _, start = packet.number(row, rest)
    return first, row[start:]


def _rows(
    connection: Any, statement: str, parameters: Mapping[str, object], *, columns: int
) -> tuple[list[bytes], int]:
    """The rows of a SELECT as the server sends them, and where in each the values begin."""
    require_open(connection)
    known = None
    try:
        known = prepared.find(connection, statement, parameters)
        if known is None:
            query = text.render(connection, statement, parameters)
            packet.send(connection, COMMAND.COM_QUERY, query)
        else:
            packet.send(connection, COMMAND.COM_STMT_EXECUTE, prepared.bind(known, parameters))
        # How many columns there are, what each is called, and that there is no other.
        packet.first(connection)
        for _ in range(columns + 1):
            packet.following(connection)
        rows: list[bytes] = []
        while True:
            rows += packet.several(connection)
            if rows[-1][0] == END and len(rows[-1]) <= END_SIZE:
                return rows[:-1], 0 if known is None else BINARY_HEAD
    except BaseException as error:
        give_up(connection, error)
        if known is not None:
            prepared.forget(connection, known)
        raise


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
