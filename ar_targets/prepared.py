"""Sends large values beside the SQL, not in it: prepared statements over PyMySQL.

A megabyte inside the text of a statement costs about five milliseconds to
write as hexadecimal digits and fifteen more for the server to parse; sent as
it is, by the protocol's prepared statements, both together take two. And it
is never copied whole: it goes out in parts.

PyMySQL has no public way to do that. This module speaks the documented
protocol (MySQL Internals, "Prepared Statements") through three of its
internal methods, which the lock file and a test hold still. Nothing else does.
"""

import functools
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from pymysql.connections import Connection
from pymysql.constants import COMMAND, FIELD_TYPE

# Bytes of a value that is worth the detour.
LARGE = 16 * 1024
# Bytes of a part. Each is a packet, and the protocol's packets end at 16 MiB.
PART = 1024 * 1024

# Which statements a connection has prepared already, and their ids.
_prepared: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()


def is_worth_it(connection: object, parameters: Mapping[str, object]) -> bool:
    """Whether the driver is PyMySQL and a value is large."""
    return isinstance(connection, Connection) and any(
        isinstance(value, bytes) and len(value) > LARGE for value in parameters.values()
    )


def execute(connection: Any, statement: str, parameters: Mapping[str, object]) -> tuple[int, int]:
    """Execute an INSERT or UPDATE with ``%(name)s`` parameters; rows affected, and the last id.

    Raises the driver's errors.
    """
    text, names = _positional(statement)
    values = [parameters[name] for name in names]
    known = _prepared.setdefault(connection, {})
    if text not in known:
        known[text] = _prepare(connection, text)
    statement_id = known[text]
    try:
        for number, value in enumerate(values):
            if isinstance(value, bytes):
                _send_parts(connection, statement_id, number, value)
        connection._execute_command(  # noqa: SLF001
            COMMAND.COM_STMT_EXECUTE, _bound(statement_id, values)
        )
        rows = connection._read_query_result()  # noqa: SLF001
    except BaseException:
        # The server may still hold parts of values: begin anew the next time.
        del known[text]
        if connection.open:
            connection._execute_command(  # noqa: SLF001
                COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement_id)
            )
        raise
    return rows, connection.insert_id()


@functools.cache
def _positional(statement: str) -> tuple[str, tuple[str, ...]]:
    """The statement with ``?`` for its parameters, and their names in that order."""
    pattern = r"%\((\w+)\)s"
    return re.sub(pattern, "?", statement), tuple(re.findall(pattern, statement))


def _prepare(connection: Any, text: str) -> int:
    """COM_STMT_PREPARE: the statement's id. Descriptions of parameters are read and dropped."""
    connection._execute_command(COMMAND.COM_STMT_PREPARE, text)  # noqa: SLF001
    answer = connection._read_packet().get_all_data()  # noqa: SLF001
    _ok, statement_id, columns, parameters = struct.unpack_from("<BIHH", answer)
    for described in (parameters, columns):
        # Each list ends with a packet of its own.
        for _ in range(described + 1 if described else 0):
            connection._read_packet()  # noqa: SLF001
    return int(statement_id)


def _send_parts(connection: Any, statement_id: int, number: int, value: bytes) -> None:
    """COM_STMT_SEND_LONG_DATA, which the server does not answer."""
    header = struct.pack("<IH", statement_id, number)
    for start in range(0, len(value) or 1, PART):
        connection._execute_command(  # noqa: SLF001
            COMMAND.COM_STMT_SEND_LONG_DATA, header + value[start : start + PART]
        )


def _bound(statement_id: int, values: Sequence[object]) -> bytes:
    """The body of COM_STMT_EXECUTE: which values are NULL, their types, and the small ones."""
    nulls = sum(1 << number for number, value in enumerate(values) if value is None)
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
    head = struct.pack("<IBI", statement_id, 0, 1)
    return head + nulls.to_bytes((len(values) + 7) // 8, "little") + b"\1" + bytes(types + small)


def _text(value: object) -> str:
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _counted(data: bytes) -> bytes:
    """A length-encoded string."""
    if len(data) < 0xFB:
        return bytes([len(data)]) + data
    return b"\xfd" + len(data).to_bytes(3, "little") + data
