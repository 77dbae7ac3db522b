"""The bytes to and from the database, for whom a fibre does not wait: it gives way."""

import io
import os
import socket
import ssl
from typing import Any

from pymysql.constants import CR
from pymysql.err import OperationalError

from .. import fibre
from ..fibre import Fibre
from . import understands

# Bytes that are read at once: a page of a list, mostly.
BUFFER = 32 * 1024


def give_way(connection: Any) -> None:
    """Have fibres that wait for PyMySQL's connection give way; with other drivers they block."""
    if understands(connection):
        source = Reader(connection._sock)  # noqa: SLF001
        connection._rfile = io.BufferedReader(source, BUFFER)  # noqa: SLF001


class Reader(io.RawIOBase):
    """What the database answers, in place of Python's own reader of a socket."""

    def __init__(self, source: socket.socket) -> None:
        """``source`` has a timeout, and so does not block by itself."""
        self._socket = source

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what has come: a byte at least, or none where nothing more comes.

        Raises OSError: TimeoutError, once nothing has come for as long as the
        socket allows.
        """
        asking = fibre.current()
        if asking is None:
            return self._socket.recv_into(buffer)
        number, seconds = self._socket.fileno(), self._socket.gettimeout()
        if isinstance(self._socket, ssl.SSLSocket):
            if not self._socket.pending():
                asking.wait(number, seconds)
            return self._socket.recv_into(buffer)
        while True:
            try:
                return os.readv(number, (buffer,))
            except BlockingIOError:
                asking.wait(number, seconds)


def write(connection: Any, data: bytes | bytearray | memoryview) -> None:
    """Send bytes. Raises the driver's errors."""
    asking, target = fibre.current(), connection._sock  # noqa: SLF001
    if asking is None:
        connection._write_bytes(data)  # noqa: SLF001
    elif isinstance(target, ssl.SSLSocket):
        asking.in_thread(lambda: connection._write_bytes(data))  # noqa: SLF001
    else:
        try:
            _write(asking, target, memoryview(data))
        except OSError as error:
            # As the driver has it.
            connection._force_close()  # noqa: SLF001
            raise OperationalError(
                CR.CR_SERVER_GONE_ERROR, f"MySQL server has gone away ({error!r})"
            ) from error


def _write(asking: Fibre, target: socket.socket, rest: memoryview) -> None:
    number, seconds = target.fileno(), target.gettimeout()
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            asking.wait(number, seconds, to_write=True)
