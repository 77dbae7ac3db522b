"""Sends several statements to the database at once: one wait for the answers of all.

The server reads one command after the other and answers each, whether or not
the client has waited in between. A write and what belongs to it so cost one
round trip instead of three, and each of those is two changes of the process
that runs. Large values go beside the SQL (`prepared`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pymysql import Error
from pymysql.constants import COMMAND

from . import give_up, packet, prepared, require_open, text, understands

# The first byte of an answer that has no rows.
OK = 0


class Step(NamedTuple):
    """A statement in the driver's own SQL, with ``%(name)s`` parameters."""

    statement: str
    parameters: Mapping[str, object] | None = None


class Answer(NamedTuple):
    """How many rows a statement has found or inserted, and the id that it gave."""

    rows: int
    last_id: int


def execute(connection: Any, steps: Sequence[Step]) -> list[Answer]:
    """Execute INSERTs, UPDATEs and statements without a result, in that order.

    A step does not know whether those before it have failed: each must do
    nothing in that case. Raises the first of the driver's errors, when all
    have been answered. Other drivers than PyMySQL do one after the other.
    """
    if not understands(connection):
        return [_execute(connection, step) for step in steps]
    require_open(connection)
    known: list[prepared.Statement | None] = []
    try:
        known += [prepared.find(connection, *step) for step in steps]
        _send(connection, steps, known)
        return _answers(connection, len(steps))
    except BaseException as error:
        give_up(connection, error)
        for statement in filter(None, known):
            # The server may still hold parts of values: begin anew the next time.
            prepared.forget(connection, statement)
        raise


def _execute(connection: Any, step: Step) -> Answer:
    cursor = connection.cursor()
    cursor.execute(step.statement, step.parameters)
    return Answer(cursor.rowcount, cursor.lastrowid)


def _send(
    connection: Any, steps: Sequence[Step], known: Sequence[prepared.Statement | None]
) -> None:
    """Write all commands; values as they are, all else together."""
    small = bytearray()
    connection._result = None  # noqa: SLF001
    for step, statement in zip(steps, known, strict=True):
        for command, payload, value in _commands(connection, step, statement):
            small += packet.head(command, len(payload) + len(value)) + payload
            if value:
                connection._write_bytes(small)  # noqa: SLF001
                connection._write_bytes(value)  # noqa: SLF001
                small = bytearray()
    connection._write_bytes(small)  # noqa: SLF001


def _commands(
    connection: Any, step: Step, statement: prepared.Statement | None
) -> Iterator[prepared.Command]:
    """The commands of a step."""
    if statement is None:
        query = text.render(connection, step.statement, step.parameters)
        yield prepared.Command(COMMAND.COM_QUERY, query)
    else:
        yield from prepared.commands(statement, step.parameters or {})


def _answers(connection: Any, expected: int) -> list[Answer]:
    """Read that many answers. Raises the first error when there are no more to read."""
    answers, failed = [], None
    for _ in range(expected):
        try:
            answers.append(_answer(connection, packet.first(connection)))
        except Error as error:
            failed = failed or error
            if not connection.open:
                break
    if failed is not None:
        raise failed
    return answers


def _answer(connection: Any, data: bytes) -> Answer:
    """An OK packet: rows, last id, and the state of the session."""
    if data[0] != OK:
        raise RuntimeError("the statement has a result")
    rows, at = packet.number(data, 1)
    last_id, at = packet.number(data, at)
    # Whether a transaction is open, above all.
    connection.server_status = int.from_bytes(data[at : at + 2], "little")
    return Answer(rows, last_id)
