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
CHECK = f"/api/project/{PROJECT}/analysis"

# A status, headers, and a body, whole or in pieces that are sent until the client has enough.
Answer = tuple[int, dict[str, str], bytes | Iterable[bytes]]


class Imposter:
    """A project's targets, ``records``, and their ``images``. Both may be anything.

    ``answers`` has what is said in place of that at a path, in the order of the
    requests, the last for ever. ``heard`` has the path of each request with its headers, and
    ``bodies`` what was sent in them.
    """

    def __init__(self) -> None:
        self.records: Any = [record(1)]
        self.images: dict[Any, bytes] = {1: CHINA}
        self.answers: dict[str, list[Answer]] = {}
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
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


def analysis(rating: int = 3, *codes: str, **changed: Any) -> dict[str, Any]:
    """A finished analysis as ar_targets would tell it, but for what is changed."""
    return {
        "status": "done",
        "version": 1,
        "analysed_at": "2026-11-23T07:03:15.650144Z",
        "trackability": rating * 20,
        "rating": rating,
        "features": 1000,
        "problems": [problem(code) for code in codes],
        "similar": [],
        "heatmap_url": "data:image/png;base64,iVBORw0KGgo=",
    } | changed


def pending(**changed: Any) -> dict[str, Any]:
    """An analysis that is not done."""
    numbers = dict.fromkeys(("analysed_at", "trackability", "rating", "features"))
    return analysis() | {"status": "pending"} | numbers | changed


def problem(code: str, **changed: Any) -> dict[str, Any]:
    """A problem of a picture."""
    return {
        "code": code,
        "severity": "warning",
        "description": f"it is {code}",
        "remedy": "take another",
        "area": [0, 10, 200, 100],
    } | changed


def similar(number: Any, **changed: Any) -> dict[str, Any]:
    """A target that resembles a picture."""
    return {"id": number, "name": "gate", "similarity": 0.875} | changed


def as_json(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON."""
    return status, headers, json.dumps(body).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    imposter: Imposter

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if body:
            self.imposter.bodies.append(body)
        self.imposter.heard.append((self.path, dict(self.headers)))
        status, headers, content = self.imposter.answer(self.path.partition("?")[0])
        self.send_response(status)
        if isinstance(content, bytes):
            headers = {"Content-Length": str(len(content))} | headers
            content = [content]
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for part in content:
                self.wfile.write(part)
        except OSError:
            pass  # The client has had enough.

    do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815

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
