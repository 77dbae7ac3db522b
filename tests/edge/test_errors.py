"""What nginx answers itself has the shape of all errors; the application's own pass as they are."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..client import HEADERS_OF, check_error
from ..functional.test_server import eventually, needs_proc
from ..ports import free_port
from .nginx import nginx

JSON = {"Content-Type": "application/json"}
SAFE = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
}
LATER = (429, 502, 503, 504)


def check(status, answer):
    """An answer of nginx's own, as (status, headers, body)."""
    assert answer[0] == status
    headers = answer[1]
    for name, text in SAFE.items():
        assert headers.get_all(name) == [text]
    assert re.fullmatch(r"[A-Za-z0-9._:+/=@-]{1,128}", headers["X-Request-ID"])
    assert headers["Server"] == "nginx"
    assert "Strict-Transport-Security" not in headers
    assert (headers["Retry-After"] == "2") == (status in LATER)
    if needed := HEADERS_OF.get(status):
        assert headers[needed]
    check_error(json.loads(answer[2]))


class Upstream:
    """A server on a port, of which each connection is handed to a function of (number, socket)."""

    def __init__(self, handle):
        self.requests = []
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while raw := connection.recv(65536):
                self.requests.append(raw)
                if not self._handle(connection):
                    return


@contextmanager
def upstream(handle):
    made = Upstream(handle)
    try:
        yield made
    finally:
        made.close()


def cut(_):
    """Close without an answer."""
    return False


def wait(_):
    """Answer far too late."""
    time.sleep(5)
    return False


def answer(raw):
    def handle(connection):
        connection.sendall(raw)
        return True

    return handle


OK = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@contextmanager
def edge_before(tmp_path, *handles, **changes):
    """An nginx before servers of which each does one thing, and those servers."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(upstream(handle)) for handle in handles]
        edge = nginx(tmp_path, *(one.port for one in servers), **changes)
        yield stack.enter_context(edge), servers


def test_no_http_is_a_400(edge):
    head, _, body = edge.say(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n").partition(
        b"\r\n\r\n"
    )
    status, _, headers = head.partition(b"\r\n")
    check(400, (int(status.split()[1]), parsed(headers), body))


def parsed(headers):
    return http.client.parse_headers(io.BytesIO(headers + b"\r\n\r\n"))


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (404, "GET", "/.edge/404", {}),
        (404, "GET", "/.edge/400", {}),
        (405, "TRACE", "/api/user", {}),
        (413, "POST", "/api/user", {"Content-Length": str(37 * 2**20), **JSON}),
        (414, "GET", "/" + "x" * 8200, {}),
        (431, "GET", "/", {"X": "x" * 8200}),
    ],
)
def test_what_is_too_much(edge, status, method, path, headers):
    check(status, edge.ask(method, path, **headers))


def test_a_body_in_chunks_that_is_too_large(edge):
    """Found out as it arrives."""
    piece = b"%x\r\n%s\r\n" % (2**20, bytes(2**20))
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as connection:
        head = b"POST /api/user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            connection.sendall(head + piece * 37)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_the_edge_refuses_no_body_that_the_application_would_take(edge, owner):
    """Up to twice the largest image's body, the application says what else is wrong."""
    body = json.dumps({"name": "x" * (34 * 2**20)})
    status, headers, said = edge.ask("POST", "/api/project", body, **JSON, **owner.headers)
    assert status == 413
    assert "Access-Control-Allow-Origin" not in headers
    assert "1048576" in json.loads(said)["errors"][0]["description"]


def test_expect(edge):
    """The body is asked for, or the answer comes without it."""
    head = b"POST /api/user HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as connection:
        connection.sendall(head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as connection:
        connection.sendall(head + b"Content-Length: 99000000\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_too_many_requests_of_one_address_are_a_429(tmp_path):
    few = {"limit_conn ar_address 500": "limit_conn ar_address 2"}
    with edge_before(tmp_path, wait, changes=few) as (edge, _), contextlib.ExitStack() as stack:
        for _ in range(2):
            waiting = stack.enter_context(socket.create_connection(("127.0.0.1", edge.port)))
            waiting.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.3)
        check(429, edge.ask("GET", "/health/live"))


def test_images_wait_for_their_turn(edge):
    """Twenty at once, then 25 a second; nobody is refused, and others do not wait."""
    got = []

    def ask():
        got.append(edge.ask("GET", "/api/project/1/imagetarget/1/im%61ge")[0])

    begun = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(60)]
    for thread in threads:
        thread.start()
    # While the last of them wait.
    assert edge.ask("GET", "/api/project")[0] == 401
    assert len(got) < 60
    for thread in threads:
        thread.join()
    assert got == [401] * 60
    assert 1.2 < time.monotonic() - begun < 15


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"])
def test_no_server_is_a_502(tmp_path, method):
    with nginx(tmp_path, free_port()) as edge:
        answered = edge.ask(method, "/api/user")
    if method == "HEAD":
        assert (answered[0], answered[2]) == (502, b"")
    else:
        check(502, answered)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_what_may_have_been_done_is_asked_once(tmp_path, method):
    with edge_before(tmp_path, cut, cut, cut) as (edge, servers):
        check(502, edge.ask(method, "/api/user", b"{}", **JSON))
        assert sum(len(server.requests) for server in servers) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_nor_is_it_on_a_connection_that_was_kept(tmp_path, method):
    """The server ends it in the very moment of the second request."""

    answers = iter([OK, cut])

    def once(connection):
        return next(answers)(connection)

    with edge_before(tmp_path, once) as (edge, (server,)):
        assert edge.ask("GET", "/")[0] == 200
        check(502, edge.ask(method, "/", b"{}", **JSON))
        assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PATCH"])
def test_what_was_not_sent_is_asked_of_another(tmp_path, method):
    """Where a replica has just ended, or is not there yet."""
    with upstream(OK) as server, nginx(tmp_path, free_port(), server.port) as edge:
        assert {edge.ask(method, "/", b"{}")[0] for _ in range(6)} == {200}
        assert len(server.requests) == 6


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reads_are_asked_of_another(tmp_path, method):
    with edge_before(tmp_path, cut, OK) as (edge, servers):
        assert {edge.ask(method, "/")[0] for _ in range(4)} == {200}
        assert servers[0].requests


def test_a_server_that_is_silent_is_a_504(tmp_path):
    soon = {"proxy_read_timeout 40s": "proxy_read_timeout 1s"}
    with edge_before(tmp_path, wait, wait, changes=soon) as (edge, servers):
        check(504, edge.ask("DELETE", "/api/user/1"))
        assert sum(len(server.requests) for server in servers) == 1


def test_a_proxy_without_room_is_a_503(tmp_path):
    """Here, because its place for bodies has gone."""
    with edge_before(tmp_path, OK) as (edge, _):
        assert edge.ask("POST", "/", bytes(2**20))[0] == 200
        (tmp_path / "temp/client_body").rename(tmp_path / "temp/gone")
        check(503, edge.ask("POST", "/", bytes(2**20)))


def test_the_clients_request_id_is_kept_if_it_is_sane(edge):
    sane = "abc/DEF+1.2:3=_-@"
    for path in ("/.edge/404", "/api/zoo"):
        assert edge.ask("GET", path, X_Request_ID=sane)[1].get_all("X-Request-ID") == [sane]
        for bad in ("a b", "x" * 129, "a<b", ""):
            (given,) = edge.ask("GET", path, X_Request_ID=bad)[1].get_all("X-Request-ID")
            assert re.fullmatch(r"[0-9a-f]{32}", given)


OWN = {
    status: b"HTTP/1.1 %d Whatever\r\nContent-Type: application/json\r\nX-Request-ID: own\r\n"
    b"Retry-After: 77\r\nAccess-Control-Allow-Origin: https://a.example\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (status, len(b'{"own":%d}' % status), b'{"own":%d}' % status)
    for status in (400, 401, 403, 404, 405, 409, 413, 414, 415, 416, 429, 431, 500, 502, 503, 504)
}


@pytest.mark.parametrize("status", OWN)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_applications_errors_pass_as_they_are(tmp_path, method, status):
    with edge_before(tmp_path, answer(OWN[status])) as (edge, _):
        answered = edge.ask(method, "/api/user")
    assert (answered[0], answered[2]) == (status, b'{"own":%d}' % status)
    headers = answered[1]
    assert headers["Retry-After"] == "77"
    assert headers["X-Request-ID"] == "own"
    assert headers.get_all("Access-Control-Allow-Origin") == ["https://a.example"]
    assert "Cache-Control" not in headers


def listening(port):
    """How many sockets wait for connections there."""
    fields = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(one[1].endswith(f":{port:04X}") and one[3] == "0A" for one in fields)


@needs_proc
def test_a_worker_that_dies_costs_readers_next_to_nothing(edge, server):
    """A read is asked of the other worker; only now and then, the second try is cut as well."""
    # A worker listens by itself when it has loaded the application.
    eventually(lambda: listening(server.port) == 2)
    statuses, over = [], threading.Event()

    def read():
        while not over.is_set():
            statuses.append(edge.ask("GET", "/health/live")[0])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    os.kill(min(server.children), signal.SIGKILL)
    time.sleep(3)
    over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 502}
    assert statuses.count(502) < len(statuses) / 100
    assert set(statuses[-100:]) == {200}
