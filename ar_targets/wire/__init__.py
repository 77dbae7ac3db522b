"""What is sent to the database and read from it without the driver's detours.

PyMySQL is written in Python: what it does for any statement is most of what a
small one costs. These modules speak the documented protocol (MySQL Internals,
"Text Protocol", "Prepared Statements") through a few of its internal methods,
which the lock file and the tests hold still. Nothing else does.

::

    connection PyMySQL's own, which commits so
    pipeline   several statements in one round trip
    prepared   what the server has read before; large values beside it
    column     the values of one column
    text       statements with their values in them
    packet     what both sides send
    stream     its bytes, for whom a fibre gives way
"""

from contextlib import suppress
from typing import Any

from pymysql import Error, InterfaceError
from pymysql.connections import Connection


def understands(connection: object) -> bool:
    """Whether the driver is PyMySQL; any other does in its own way what is asked here."""
    return isinstance(connection, Connection)


def require_open(connection: Any) -> None:
    """Raises the driver's own error for a connection that has ended."""
    if not connection.open:
        raise InterfaceError(0, "")


def give_up(connection: Any, error: BaseException) -> None:
    """Close a connection on which answers may be left unread: nobody could use it again."""
    if not isinstance(error, Error):
        with suppress(Exception):
            connection.close()
