"""The way to the server: how it fails, and that it takes no longer than it may."""

import socket
import threading
from contextlib import contextmanager

import pytest

from ar_targets.vision.assessment import Assessment, Problem
from ar_targets.vision_client import (
    Analysed,
    Similar,
    VisionAwayError,
    VisionBusyError,
    VisionClient,
    VisionPictureError,
)

from ..live import read_message
from ..ports import free_port

KEY = "the key"
ASKED = {
    "/project/1/analysis": lambda client: client.analyse(1, b"jpeg"),
    "/project/1/similar": lambda client: client.similar(1, b"jpeg"),
    "/project/1/target/2/similar": lambda client: client.similar_to(1, 2),
}


class Answering:
    """Answers each request with the same bytes; None: never."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: list[socket.socket] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            self.requests.append(read_message(connection))
            if self.answer is not None:
                connection.sendall(self.answer)
                connection.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        for connection in self.open:
            connection.close()


@contextmanager
def answering(answer: bytes | None):
    server = Answering(answer)
    try:
        yield server
    finally:
        server.close()


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def client_of(url: str, timeout: float = 30) -> VisionClient:
    return VisionClient(url, KEY, timeout)


@pytest.mark.parametrize("path", ASKED)
def test_what_is_asked(path):
    with answering(response("200 OK", b'{"similar": [{"id": 7, "similarity": 0.5}]}')) as server:
        if path.endswith("analysis"):
            with pytest.raises(VisionAwayError, match="without sense"):
                ASKED[path](client_of(server.url))
        else:
            assert ASKED[path](client_of(server.url)) == [Similar(7, 0.5)]
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(f"POST {path} HTTP/1.1\r\n".encode())
    assert b"\r\nAuthorization: Bearer the key\r\n" in head
    assert body == (b"" if "target" in path else b"jpeg")


def test_an_analysis():
    told = (
        b'{"version": 3, "trackability": 71, "rating": 4, "features": 12, "heatmap": "AAH/",'
        b'"problems": [{"code": "blurred", "severity": "warning", "description": "d",'
        b'"remedy": "r", "area": [1, 2, 3, 4]}, {"code": "too_small", "severity": "info",'
        b'"description": "d", "remedy": "r", "area": null}],'
        b'"similar": [{"id": 7, "similarity": 0.5}]}'
    )
    problems = (
        Problem("blurred", "warning", "d", "r", (1, 2, 3, 4)),
        Problem("too_small", "info", "d", "r", None),
    )
    with answering(response("200 OK", told)) as server:
        found = client_of(server.url).analyse(1, b"jpeg")
    assert found == Analysed(3, Assessment(71, 4, 12, problems, b"\0\1\xff"), [Similar(7, 0.5)])


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (response("422 No", b'{"error": "it is no JPEG"}'), VisionPictureError, "it is no JPEG"),
        (response("401 No", b'{"error": "the key is wrong"}'), VisionAwayError, "401: the key"),
        (response("500 No", b'{"error": "unexpected"}'), VisionAwayError, "500: unexpected"),
        (
            response("302 No", b'{"error": "x"}', "Location: /health/live"),
            VisionAwayError,
            "redirects",
        ),
        (response("503 No", b"<h1>a balancer without a server</h1>"), VisionAwayError, "503"),
        (response("200 OK", b"{}"), VisionAwayError, "without sense"),
        (response("200 OK", b"[]"), VisionAwayError, "without sense"),
        (response("200 OK", b"\xff"), VisionAwayError, "without sense"),
        (b"\0\0\0", VisionAwayError, "no answer"),
        (b"", VisionAwayError, "no answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", VisionAwayError, "no answer"),
    ],
)
def test_other_answers(answer, error, words):
    with answering(answer) as server, pytest.raises(error, match=words):
        client_of(server.url).similar(1, b"jpeg")
    # Whoever asks is waiting: nothing is asked twice.
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [(["Retry-After: 7"], 7), ([], 1), (["Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"], 1)],
)
def test_a_busy_server(headers, seconds):
    answer = response("503 Busy", b'{"error": "8 requests"}', *headers)
    with answering(answer) as server, pytest.raises(VisionBusyError, match="8 requests") as caught:
        client_of(server.url).similar(1, b"jpeg")
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("path", ASKED)
def test_a_server_that_never_answers(path):
    with answering(None) as server, pytest.raises(VisionAwayError, match="timed out"):
        ASKED[path](client_of(server.url, 0.3))


@pytest.mark.parametrize("path", ASKED)
def test_no_server(path):
    with pytest.raises(VisionAwayError, match="no answer"):
        ASKED[path](client_of(f"http://127.0.0.1:{free_port()}"))


def test_none_that_is_set():
    with pytest.raises(VisionAwayError, match=r"ar_targets.vision_url is not set"):
        client_of("").similar(1, b"jpeg")


def test_no_secret_in_an_error():
    with pytest.raises(VisionAwayError) as caught:
        client_of(f"http://127.0.0.1:{free_port()}").similar(1, b"jpeg")
    assert KEY not in str(caught.value)
