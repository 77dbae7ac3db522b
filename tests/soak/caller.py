"""One client's connection to the API, which may break at any moment."""

import contextlib
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
# Seconds after which a client takes the server to be hanging.
TIMEOUT = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back; no status where the answer was lost."""

    status: int | None
    sent: float
    heard: float
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hung: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def tag(self) -> str:
        """The entity tag, as ``If-Match`` wants it."""
        return self.headers["ETag"]


class Caller:
    """Keeps a connection alive, as apps do, and makes a new one after it broke."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)
        self.answers: list[tuple[int | None, float, float]] = []

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request; ``if_match=…`` becomes the header ``If-Match``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {token}"} if token else {}
        named |= {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        sent = time.monotonic()
        try:
            self._connection.request(method, path, data, named)
            response = self._connection.getresponse()
            answer = Answer(
                response.status,
                sent,
                # Written before the body is read: the server has decided by then.
                time.monotonic(),
                response.read(),
                response.headers,
            )
            if answer.body == b"" and answer.status != 204:
                # Cut among the headers, which Python takes for their end.
                raise http.client.IncompleteRead(b"")
        except (OSError, http.client.HTTPException) as broken:
            self.close()
            hung = isinstance(broken, TimeoutError)
            answer = Answer(None, sent, time.monotonic(), hung=hung)
        self.answers.append((answer.status, answer.sent, answer.heard))
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()
