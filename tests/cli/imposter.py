"""A server that looks like ar_targets to a client, and lies as a test tells it."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..pictures import CHINA

TOKEN = "a.project.token"
PROJECT = 1
TARGETS = f"/api/project/{PROJECT}/imagetarget"

# A status, headers, and a body, whole or in pieces that are sent until the client has enough.
Answer = tuple[int, dict[str, str], bytes | Iterable[bytes]]


class Imposter:
    """A project's targets, ``records``, and their ``images``. Both may be anything.

    ``answers`` has what is said in place of that at a path, in the order of the
    requests, the last for ever. ``heard`` has the path of each request with its headers.
    """

    def __init__(self) -> None:
        self.records: Any = [record(1)]
        self.images: dict[Any, bytes] = {1: CHINA}
        self.answers: dict[str, list[Answer]] = {}
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def answer(self, path: str) -> Answer:
        """What is said at a path."""
        scripted = self.answers.get(path)
        if scripted:
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if path == TARGETS:
            return as_json({"items": self.records, "next": None})
        for number, image in self.images.items():
            if path == f"{TARGETS}/{number}/image":
                return 200, {"Content-Type": "image/jpeg"}, image
        return 404, {}, b""


def record(number: Any, image: bytes = CHINA, **changed: Any) -> dict[str, Any]:
    """A target as ar_targets would tell it, but for what is changed."""
    return {
        "id": number,
        "project_id": PROJECT,
        "name": "gate",
        "description": "a gate",
        "physical_width": 0.3,
        "active": True,
        "width": 640,
        "height": 427,
        "size": len(image),
        "sha256": hashlib.sha256(image).hexdigest(),
        "image_url": f"http://127.0.0.1{TARGETS}/{number}/image",
        "created_at": "2026-11-23T07:03:14.650144Z",
        "updated_at": "2026-11-23T07:03:14.650144Z",
    } | changed


def as_json(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON."""
    return status, headers, json.dumps(body).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    imposter: Imposter

    def do_GET(self) -> None:
        self.imposter.heard.append((self.path, dict(self.headers)))
        status, headers, body = self.imposter.answer(self.path.partition("?")[0])
        self.send_response(status)
        if isinstance(body, bytes):
            headers = {"Content-Length": str(len(body))} | headers
            body = [body]
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for part in body:
                self.wfile.write(part)
        except OSError:
            pass  # The client has had enough.

    do_POST = do_PATCH = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def imposing() -> Iterator[Imposter]:
    """An imposter at its own address."""
    imposter = Imposter()
    handler = type("Bound", (Handler,), {"imposter": imposter})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    imposter.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield imposter
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
