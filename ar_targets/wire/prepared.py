"""Sends large values beside the SQL, not in it: prepared statements over PyMySQL.

A megabyte inside the text of a statement costs about five milliseconds to
write as hexadecimal digits and fifteen more for the server to parse; sent as
it is, by the protocol's prepared statements (MySQL Internals, "Prepared
Statements"), both together take two. And it is never copied whole: it goes out
in parts. See `pipeline`, which alone uses this.
"""

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pymysql.constants import COMMAND, FIELD_TYPE

# Bytes of a value that is worth the detour.
LARGE = 16 * 1024
# Bytes of a part. Each is a packet, and the protocol's packets end at 16 MiB.
PART = 1024 * 1024


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


# By connection and text.
_known: WeakKeyDictionary[Any, dict[str, Statement]] = WeakKeyDictionary()


def is_worth_it(parameters: Mapping[str, object] | None) -> bool:
    """Whether a value is large."""
    return parameters is not None and any(
        isinstance(value, bytes) and len(value) > LARGE for value in parameters.values()
    )


def prepare(connection: Any, text: str) -> Statement:
    """A statement with ``%(name)s`` parameters, prepared once a connection.

    Raises the driver's errors.
    """
    known = _known.setdefault(connection, {})
    if text not in known:
        pattern = r"%\((\w+)\)s"
        number = _number(connection, re.sub(pattern, "?", text))
        known[text] = Statement(text, number, tuple(re.findall(pattern, text)))
    return known[text]


def forget(connection: Any, statement: Statement) -> None:
    """Have both sides forget it."""
    _known[connection].pop(statement.text, None)
    if connection.open:
        connection._execute_command(  # noqa: SLF001
            COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement.number)
        )


def commands(statement: Statement, parameters: Mapping[str, object]) -> Iterator[Command]:
    """The commands that execute it. The last alone is answered."""
    values = [parameters[name] for name in statement.names]
    for place, value in enumerate(values):
        if isinstance(value, bytes):
            header = struct.pack("<IH", statement.number, place)
            parts = memoryview(value)
            for start in range(0, len(value) or 1, PART):
                part = parts[start : start + PART]
                yield Command(COMMAND.COM_STMT_SEND_LONG_DATA, header, part)
    yield Command(COMMAND.COM_STMT_EXECUTE, _bound(statement.number, values))


def _number(connection: Any, text: str) -> int:
    """COM_STMT_PREPARE: the statement's number. Descriptions of parameters are read and dropped."""
    connection._execute_command(COMMAND.COM_STMT_PREPARE, text)  # noqa: SLF001
    answer = connection._read_packet().get_all_data()  # noqa: SLF001
    _ok, number, columns, parameters = struct.unpack_from("<BIHH", answer)
    for described in (parameters, columns):
        # Each list ends with a packet of its own.
        for _ in range(described + 1 if described else 0):
            connection._read_packet()  # noqa: SLF001
    return int(number)


def _bound(number: int, values: Sequence[object]) -> bytes:
    """The body of COM_STMT_EXECUTE: which values are NULL, their types, and the small ones."""
    nulls = sum(1 << place for place, value in enumerate(values) if value is None)
    types, small = bytearray(), bytearray()
    for value in values:
        if isinstance(value, int):
            types += struct.pack("<H", FIELD_TYPE.LONGLONG)
            small += struct.pack("<q", value)
        elif isinstance(value, bytes):
            types += struct.pack("<H", FIELD_TYPE.LONG_BLOB)
        else:
            types += struct.pack("<H", FIELD_TYPE.VAR_STRING)
            if value is not None:
                small += _counted(_text(value).encode())
    head = struct.pack("<IBI", number, 0, 1)
    return head + nulls.to_bytes((len(values) + 7) // 8, "little") + b"\1" + bytes(types + small)


def _text(value: object) -> str:
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _counted(data: bytes) -> bytes:
    """A length-encoded string."""
    if len(data) < 0xFB:
        return bytes([len(data)]) + data
    return b"\xfd" + len(data).to_bytes(3, "little") + data
