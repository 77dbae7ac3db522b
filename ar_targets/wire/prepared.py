"""Statements that the server has read before: PyMySQL over the protocol's prepared statements.

To read a small statement is half of what the server does for it. One that comes
again on a connection is prepared there: from then on only its number is sent, and
its values, which nobody has to escape.

Large values do not even go in the same packet: they go out in parts, never
copied whole. A megabyte inside the text of a statement costs about five
milliseconds to write as hexadecimal digits and fifteen more for the server to
read; sent as it is, both together take two.

(MySQL Internals, "Prepared Statements".)
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pymysql import OperationalError
from pymysql.constants import COMMAND, ER, FIELD_TYPE

from . import packet

# Bytes of a value that goes out by itself.
LARGE = 16 * 1024
# Bytes of a part. Each is a packet, and the protocol's packets end at 16 MiB.
PART = 1024 * 1024
# Statements that a connection keeps, those included which have come but once. All
# connections together may have 16,382, unless the server is told otherwise.
MOST = 100

# Types of values.
NUMBER, BLOB, TEXT = (
    struct.pack("<H", kind)
    for kind in (FIELD_TYPE.LONGLONG, FIELD_TYPE.LONG_BLOB, FIELD_TYPE.VAR_STRING)
)
# A number of fewer bits has a type of its own; a larger one goes out as text.
NUMBER_BITS = 64
# What an execution says besides the statement's number: no cursor, and once.
PLAIN = struct.pack("<BI", 0, 1)
# The types of the values are told with them.
TYPED = b"\1"


class Statement(NamedTuple):
    """What a connection has prepared: the server's number for it, and its parameters in order."""

    text: str
    number: int
    names: tuple[str, ...]


class Command(NamedTuple):
    """What is sent in one packet: the payload, and behind it a part of a large value."""

    code: int
    payload: bytes
    value: memoryview | bytes = b""


class _Marks(dict[str, str]):
    """Puts a mark in the place of each parameter, and notes the names in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __missing__(self, name: str) -> str:
        self.names.append(name)
        return "?"


# By connection and text; None for a statement that has come but once.
_known: WeakKeyDictionary[Any, dict[str, Statement | None]] = WeakKeyDictionary()


def find(connection: Any, text: str, parameters: Mapping[str, object] | None) -> Statement | None:
    """The prepared statement for a text with ``%(name)s`` parameters, or None: send the text.

    It is prepared when it comes for the second time, or has a large value.
    Raises the driver's errors.
    """
    if parameters is None:
        return None
    known = _known.get(connection)
    if known is None:
        known = _known[connection] = {}
    statement = known.get(text)
    if statement is None:
        if text in known or _has_large(parameters):
            statement = _prepare(connection, text)
        if statement is not None or len(known) < MOST:
            known[text] = statement
    return statement


def _has_large(parameters: Mapping[str, object]) -> bool:
    return any(isinstance(value, bytes) and len(value) > LARGE for value in parameters.values())


def forget(connection: Any, statement: Statement) -> None:
    """Have both sides forget it."""
    _known[connection].pop(statement.text, None)
    if connection.open:
        connection._execute_command(  # noqa: SLF001
            COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement.number)
        )


def commands(statement: Statement, parameters: Mapping[str, object]) -> Iterator[Command]:
    """The commands that execute it. The last alone is answered."""
    for place, name in enumerate(statement.names):
        value = parameters[name]
        if isinstance(value, bytes) and len(value) > LARGE:
            header = struct.pack("<IH", statement.number, place)
            parts = memoryview(value)
            for start in range(0, len(value), PART):
                part = parts[start : start + PART]
                yield Command(COMMAND.COM_STMT_SEND_LONG_DATA, header, part)
    yield Command(COMMAND.COM_STMT_EXECUTE, bind(statement, parameters))


def _prepare(connection: Any, text: str) -> Statement | None:
    """COM_STMT_PREPARE; None where the server keeps as many as it may already.

    What it says of parameters and columns is read and dropped.
    """
    marks = _Marks()
    marked = text % marks
    packet.send(connection, COMMAND.COM_STMT_PREPARE, marked.encode(connection.encoding))
    try:
        answer = packet.first(connection)
    except OperationalError as error:
        if error.args[0] == ER.MAX_PREPARED_STMT_COUNT_REACHED:
            return None
        raise
    _ok, number, columns, parameters = struct.unpack_from("<BIHH", answer)
    for described in (parameters, columns):
        # Each list ends with a packet of its own.
        for _ in range(described + 1 if described else 0):
            packet.following(connection)
    return Statement(text, number, tuple(marks.names))


def bind(statement: Statement, parameters: Mapping[str, object]) -> bytes:
    """The body of COM_STMT_EXECUTE: which values are NULL, their types, and the small ones."""
    head, nulls = struct.pack("<I", statement.number) + PLAIN, 0
    types, values = list[bytes](), list[bytes]()
    for place, name in enumerate(statement.names):
        value = parameters[name]
        if isinstance(value, int) and value.bit_length() < NUMBER_BITS:
            types.append(NUMBER)
            values.append(struct.pack("<q", value))
        elif isinstance(value, bytes):
            types.append(BLOB)
            if len(value) <= LARGE:
                values.append(_counted(value))
        elif value is None:
            types.append(TEXT)
            nulls |= 1 << place
        else:
            types.append(TEXT)
            values.append(_counted(str(value).encode()))
    if not types:
        return head
    is_null = nulls.to_bytes((len(types) + 7) // 8, "little")
    return b"".join((head, is_null, TYPED, *types, *values))


def _counted(data: bytes) -> bytes:
    """A length-encoded string."""
    if len(data) < packet.LONG:
        return bytes((len(data),)) + data
    return b"\xfd" + len(data).to_bytes(3, "little") + data
