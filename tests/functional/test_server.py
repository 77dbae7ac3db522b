"""The application on waitress, over sockets: what never reaches it, and who is behind a proxy."""

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
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ar_targets.server import HEADER_BYTES

from ..client import check_error
from ..conftest import INI, KEY
from ..pictures import CHINA
from ..ports import free_port

MIB = 2**20
LISTEN = re.compile(r"^listen = .*$", re.MULTILINE)
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
    options="",
    *,
    environ=None,
    ends_with=0,
    level=None,
    source=INI,
    command=("-m", "pyramid.scripts.pserve"),
    log=None,
):
    """A server as ``pserve`` runs it, which must end well when it is asked to."""
    server = Server(free_port())
    ini = directory / "server.ini"
    listen = f"listen = 127.0.0.1:{server.port}{options}"
    text, found = LISTEN.subn(listen, source.read_text())
    assert found == 1
    if level:
        text = re.sub(r"level = \w+", f"level = {level}", text)
    ini.write_text(text.replace("%(here)s", str(INI.parent)))
    settings = {
        "AR_TARGETS_DATABASE_URL": database_url,
        "AR_TARGETS_JWT_KEYS": KEY,
        "AR_TARGETS_LOGIN_FAILURES": "2 per 1 minute",
        "AR_TARGETS_IMAGE_MAX_BYTES": "1000",
    } | (environ or {})
    process = subprocess.Popen(
        [sys.executable, *command, str(ini)], env=os.environ | settings, stderr=log
    )
    server.pid = process.pid
    try:
        wait_for(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == ends_with


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
    with running(database_url, tmp_path_factory.mktemp("server"), "") as started:
        yield started


@pytest.fixture(scope="module")
def behind_proxy(database_url, tmp_path_factory):
    with running(database_url, tmp_path_factory.mktemp("server"), environ=PROXY) as started:
        yield started


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ".ljust(HEADER_BYTES, b"x"), 431),
        (b"POST /api/user HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
    ],
)
def test_what_never_reaches_the_application_is_refused_in_json(server, raw, status):
    head, _, body = server.say(raw).partition(b"\r\n\r\n")
    assert head.startswith((f"HTTP/1.1 {status} ".encode(), f"HTTP/1.0 {status} ".encode()))
    assert b"Content-Type: application/json" in head
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert b"\nServer:" not in head
    check_error(json.loads(body))


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
    head = said.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head.count(b"Connection: close") == 1


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
    with running(database_url, tmp_path, "\nworkers = 2") as server:
        eventually(lambda: len(server.children) == 2)
        first = server.children
        victim = min(first)
        os.kill(victim, signal.SIGKILL)
        assert server.ask("GET", "/health/ready")[0] == 200
        eventually(lambda: len(server.children - {victim}) == 2)
        assert [server.ask("GET", "/health/ready")[0] for _ in range(20)] == [200] * 20
        last = server.children
    eventually(lambda: not any(map(is_running, first | last)))


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def begin_upload(server, body):
    """A connection on which half of a login has arrived."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:9])
    return connection


def test_where_there_is_no_epoll(database_url, tmp_path, target, write_token):
    """As on macOS, waitress's own loop does it all."""
    program = "import select, sys; del select.epoll; sys.argv[0] = 'pserve'; "
    program += "from pyramid.scripts.pserve import main; sys.exit(main())"
    with running(database_url, tmp_path, "\nworkers = 2", command=("-c", program)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        for path, size in [(target.image, len(CHINA)), ("/health/live", None)] * 2:
            connection.request("GET", path, headers=write_token.headers)
            answer = connection.getresponse()
            assert answer.status == 200
            assert len(answer.read()) == (size or int(answer.headers["Content-Length"]))
            assert connection.sock is not None
        connection.close()


def opened(pid, kind):
    """How many files of a kind a process has open."""
    names = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()]
    return sum(name.startswith(kind) for name in names)


@needs_proc
def test_workers_share_connections(database_url, tmp_path):
    many = 40
    with running(database_url, tmp_path, "\nworkers = 2") as server, ExitStack() as stack:
        eventually(lambda: [opened(pid, "anon_inode:") for pid in server.children] == [1, 1])
        # One of them may still be closing a connection of ours.
        time.sleep(1)
        before = {pid: opened(pid, "socket:") for pid in server.children}
        for _ in range(many):
            made = socket.create_connection(("127.0.0.1", server.port), 20)
            stack.enter_context(made).sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            made.recv(65536)
        share = [opened(pid, "socket:") - before[pid] for pid in before]
    assert sum(share) == many
    # Whoever has fewer may have slept a little long, on a busy machine above all.
    assert min(share) >= many // 10, share


@needs_proc
@pytest.mark.parametrize("workers", [1, 2])
def test_what_has_begun_is_finished_before_the_end(database_url, tmp_path, owner, workers):
    body = json.dumps({"login": owner.login, "password": "correct horse battery"}).encode()
    with running(database_url, tmp_path, f"\nworkers = {workers}") as server:
        eventually(lambda: len(server.children) == (workers if workers > 1 else 0))
        begun = [begin_upload(server, body) for _ in range(4)]
        idle, silent = (
            socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(2)
        )
        # The kernel has the bytes; waitress is to have them too.
        assert server.ask("GET", "/health/live")[0] == 200
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: refuses(server.port))
        # What a proxy still sends on a connection that it has kept.
        idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: idle.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in answer
        idle.close()
        assert silent.recv(1) == b""
        silent.close()
        for connection in begun:
            connection.sendall(body[9:])
            answer = b"".join(iter(lambda open_=connection: open_.recv(65536), b""))
            assert answer.startswith(b"HTTP/1.1 200 ")
            connection.close()


@needs_proc
def test_the_second_request_to_end_does_not_wait(database_url, tmp_path):
    with running(database_url, tmp_path, "") as server, begin_upload(server, b" " * 100):
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGTERM)
        # Two at once would be one.
        eventually(lambda: refuses(server.port))
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda: not is_running(server.pid))


@needs_proc
def test_the_environment_says_how_many_workers(database_url, tmp_path):
    environ = {"AR_TARGETS_WORKERS": "3"}
    with running(database_url, tmp_path, "\nworkers = 1", environ=environ) as server:
        eventually(lambda: len(server.children) == 3)


@needs_proc
def test_workers_do_not_outlive_their_parent(database_url, tmp_path):
    killed = -signal.SIGKILL
    with running(database_url, tmp_path, "\nworkers = 2", ends_with=killed) as server:
        eventually(lambda: len(server.children) == 2)
        orphans = server.children
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: not any(map(is_running, orphans)))
