"""The application on granian, over sockets: what never reaches it, and who is behind a proxy."""

import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..client import check_error
from ..conftest import KEY, PRODUCTION
from ..pictures import CHINA
from ..ports import free_port

MIB = 2**20
PROXY = {"AR_TARGETS_TRUSTED_PROXY": "127.0.0.1"}
JSON = {"Content-Type": "application/json"}


class Server:
    """An address to talk to."""

    def __init__(self, port):
        self.port = port
        self.pid = None

    @property
    def children(self):
        """The processes that the server has started."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return {int(pid) for pid in listed.split()}

    def ask(self, method, path, body=None, **headers):
        """Send a request; status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def say(self, raw):
        """Send bytes as they are; all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(raw)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def log_in(self, address):
        """The status of a wrong login that a proxy says to come from an address."""
        body = json.dumps({"login": "olga", "password": "wrong"})
        headers = JSON | {"X-Forwarded-For": address}
        return self.ask("POST", "/api/login", body, **headers)[0]


@contextmanager
def running(
    database_url,
    directory,
    *,
    workers=1,
    environ=None,
    ends_with=0,
    level=None,
    source=PRODUCTION,
    log=None,
):
    """A server as ``pserve production.ini`` runs it, which must end well when it is asked to."""
    server = Server(free_port())
    ini = directory / "server.ini"
    text = source.read_text()
    if level:
        text = re.sub(r"level = \w+", f"level = {level}", text)
    ini.write_text(text)
    settings = {
        "AR_TARGETS_LISTEN": f"127.0.0.1:{server.port}",
        "AR_TARGETS_WORKERS": str(workers),
        "AR_TARGETS_DATABASE_URL": database_url,
        "AR_TARGETS_JWT_KEYS": KEY,
        "AR_TARGETS_LOGIN_FAILURES": "2 per 1 minute",
        "AR_TARGETS_IMAGE_MAX_BYTES": "1000",
    } | (environ or {})
    process = subprocess.Popen(
        [sys.executable, "-m", "pyramid.scripts.pserve", str(ini)],
        env=os.environ | settings,
        stderr=log,
    )
    server.pid = process.pid
    try:
        wait_for(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == ends_with


def wait_for(server):
    deadline = time.monotonic() + 30
    while True:
        try:
            assert server.ask("GET", "/health/live")[0] == 200
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    with running(database_url, tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture(scope="module")
def behind_proxy(database_url, tmp_path_factory):
    with running(database_url, tmp_path_factory.mktemp("server"), environ=PROXY) as started:
        yield started


def test_a_large_body_that_does(server):
    status, headers, body = server.ask("POST", "/api/login", b" " * (MIB + 1), **JSON)
    assert status == 413
    assert headers["X-Request-ID"]
    check_error(json.loads(body))


def test_a_body_in_chunks(server, owner):
    body = json.dumps({"login": owner.login, "password": "correct horse battery"}).encode()
    status, _, _ = server.ask("POST", "/api/login", iter([body[:9], body[9:]]), **JSON)
    assert status == 200


def test_head_and_errors_leave_the_connection_usable(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    for method, path, status in [
        ("HEAD", "/health/live", 200),
        ("HEAD", "/api/zoo", 404),
        ("DELETE", "/api/user", 405),
        ("OPTIONS", "/api/user", 204),
        ("GET", "/health/live", 200),
    ]:
        connection.request(method, path)
        answer = connection.getresponse()
        assert answer.status == status
        assert bool(answer.read()) == (method in ("GET", "DELETE"))
    connection.close()


def test_responses_without_a_body_leave_it_usable_too(server, target, write_token):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    seen = []
    known = {"If-None-Match": f'"{hashlib.sha256(CHINA).hexdigest()}"'}
    for method, path, headers in [
        ("GET", target.image, known),
        ("OPTIONS", target.image, {}),
        ("DELETE", target.path, {}),
        ("GET", target.path, {}),
    ]:
        connection.request(method, path, headers=write_token.headers | headers)
        answer = connection.getresponse()
        body, length = answer.read(), answer.headers.get_all("Content-Length")
        assert length == ([str(len(body))] if body else None)
        seen.append((answer.status, answer.headers["Connection"], connection.sock is None))
    assert seen == [(status, None, False) for status in (304, 204, 204, 404)]
    connection.close()


@pytest.mark.parametrize("ask", ["HTTP/1.0", "HTTP/1.1\r\nConnection: close"])
def test_who_wants_no_more_is_let_go(server, ask):
    said = server.say(f"GET /health/live {ask}\r\nHost: x\r\n\r\n".encode())
    assert b" 200 OK\r\n" in said


def test_a_proxy_that_is_not_named_is_not_believed(server, rows_removed):
    statuses = [server.log_in(f"192.0.2.{n}") for n in range(3)]
    assert statuses == [401, 401, 429]
    headers = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"}
    body = json.dumps({"login": "nora", "password": "eight ch"})
    status, answered, _ = server.ask("POST", "/api/user", body, **JSON, **headers)
    assert status == 201
    assert answered["Location"].startswith(f"http://127.0.0.1:{server.port}/api/user/")


def test_a_proxy_that_is_named_is_believed(behind_proxy, rows_removed):
    statuses = [behind_proxy.log_in("192.0.2.1") for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert behind_proxy.log_in("192.0.2.2") == 401
    headers = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "ar.example.org"}
    body = json.dumps({"login": "nora", "password": "eight ch"})
    status, answered, _ = behind_proxy.ask("POST", "/api/user", body, **JSON, **headers)
    assert status == 201
    assert answered["Location"].startswith("https://ar.example.org/api/user/")


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


@needs_proc
def test_workers_share_a_socket_and_are_replaced(database_url, tmp_path):
    with running(database_url, tmp_path, workers=2) as server:
        eventually(lambda: len(server.children) == 2)
        first = server.children
        victim = min(first)
        os.kill(victim, signal.SIGKILL)
        # What had been queued for it is reset; whoever asks again is answered by the other.
        eventually(lambda: is_ready(server))
        eventually(lambda: len(server.children - {victim}) == 2)
        assert [server.ask("GET", "/health/ready")[0] for _ in range(20)] == [200] * 20
        last = server.children
    eventually(lambda: not any(map(is_running, first | last)))


def is_ready(server):
    try:
        return server.ask("GET", "/health/ready")[0] == 200
    except OSError:
        return False


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def begin_upload(server, body):
    """A connection on which half of a login has arrived."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:9])
    return connection


@needs_proc
@pytest.mark.parametrize("workers", [1, 2])
def test_what_has_begun_is_finished_before_the_end(database_url, tmp_path, owner, workers):
    body = json.dumps({"login": owner.login, "password": "correct horse battery"}).encode()
    with running(database_url, tmp_path, workers=workers) as server:
        eventually(lambda: len(server.children) == workers)
        begun = [begin_upload(server, body) for _ in range(4)]
        idle, silent = (
            socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(2)
        )
        # The kernel has the bytes; granian is to have them too.
        assert server.ask("GET", "/health/live")[0] == 200
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: refuses(server.port))
        # Nothing has begun on these; a proxy asks elsewhere.
        assert idle.recv(1) == silent.recv(1) == b""
        idle.close()
        silent.close()
        for connection in begun:
            connection.sendall(body[9:])
            answer = b"".join(iter(lambda open_=connection: open_.recv(65536), b""))
            assert answer.startswith(b"HTTP/1.1 200 ")
            connection.close()


@needs_proc
def test_the_environment_says_how_many_workers(database_url, tmp_path):
    with running(database_url, tmp_path, workers=3) as server:
        eventually(lambda: len(server.children) == 3)


@needs_proc
def test_workers_do_not_outlive_their_parent(database_url, tmp_path):
    killed = -signal.SIGKILL
    with running(database_url, tmp_path, workers=2, ends_with=killed) as server:
        eventually(lambda: len(server.children) == 2)
        orphans = server.children
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: not any(map(is_running, orphans)))
