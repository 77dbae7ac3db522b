"""The application behind a socket, as ``pserve`` runs it, and a wire to it that can be cut."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from .conftest import INI, KEY
from .ports import free_port

LISTEN = "listen = 127.0.0.1:6543"


class Live:
    """A server on a port that stays its own when it is started again."""

    def __init__(self, database_url: str, directory: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ini = directory / "live.ini"
        self.ini.write_text(INI.read_text().replace(LISTEN, f"listen = 127.0.0.1:{self.port}"))
        named = {"database_url": database_url, "jwt_keys": KEY} | settings
        self.settings = {f"AR_TARGETS_{name.upper()}": value for name, value in named.items()}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "pyramid.scripts.pserve", str(self.ini)]
        self.process = subprocess.Popen(command, env=os.environ | self.settings)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail(f"no server came up at {self.url}")

    def stop(self) -> None:
        """Ask it to end, if it runs."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)


@contextmanager
def live(database_url: str, directory: Path, **settings: str) -> Iterator[Live]:
    """A running server."""
    server = Live(database_url, directory, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Wire:
    """Passes connections on to a server, and cuts them as it is told.

    ``cut`` is asked for each request, by its first line, what to do:
    None passes it, "before" closes before the server sees it, "after" closes
    when the server has answered: the request is done, but nobody hears of it.
    """

    def __init__(self, server: Live) -> None:
        self.server = server
        self.cut: Callable[[str], str | None] = lambda _: None
        self.requests: list[str] = []
        # How many of them the server has answered.
        self.answered = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Close it for all who come."""
        # A thread that waits in accept() is not woken by close() alone.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while request := read_message(client):
                line = request.split(b"\r\n", 1)[0].decode()
                self.requests.append(line)
                cut = self.cut(line)
                if cut == "before":
                    return
                with socket.create_connection(("127.0.0.1", self.server.port)) as server:
                    server.sendall(request)
                    answer = read_message(server, head=line.startswith("HEAD"))
                self.answered += 1
                if cut == "after":
                    return
                client.sendall(answer)


def read_message(connection: socket.socket, *, head: bool = False) -> bytes:
    """An HTTP message with its body, of which the length is told; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    headers, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for header in headers.split(b"\r\n")[1:]:
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length" and not head:
            length = int(value)
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            return b""
        body += part
    return headers + b"\r\n\r\n" + body
