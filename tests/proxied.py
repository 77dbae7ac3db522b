"""The server as it runs in production's manner, with a proxy between it and the database."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .database_proxy.proxy import DatabaseProxy, upstream_of
from .live import Live, live

# Seconds after which a client takes the server to be hanging.
TIMEOUT = 30


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """A client that keeps its connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def ask(self, method: str, path: str, body: Any = None, who: Any = None, **more: str) -> Reply:
        """Any method as any actor; ``if_match=…`` becomes the header ``If-Match``."""
        headers = {name.replace("_", "-").title(): value for name, value in more.items()}
        headers |= who.headers if who else {}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True)
class Proxied:
    """A running server, what is between it and its database, and a client."""

    proxy: DatabaseProxy
    server: Live
    caller: Caller

    @property
    def ask(self) -> Any:
        return self.caller.ask


@contextmanager
def proxied(database_url: str, directory: Path, **settings: str) -> Iterator[Proxied]:
    """All three, while they are needed."""
    with (
        DatabaseProxy(upstream_of(database_url)) as proxy,
        live(proxy.url_for(database_url), directory, **settings) as server,
    ):
        caller = Caller(server.port)
        try:
            yield Proxied(proxy, server, caller)
        finally:
            caller.close()
