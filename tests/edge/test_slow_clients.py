"""Clients that take their time: they wait for each other, and for nobody else."""

import contextlib
import http.client
import json
import os
import socket
import threading
import time

import pytest

from ..actors import PASSWORD
from ..pictures import CHINA
from .nginx import nginx

HEAD = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LIMIT = 30
# Else the tests would take minutes.
QUICKLY = {
    "client_header_timeout 30s": "client_header_timeout 1s",
    "client_body_timeout 30s": "client_body_timeout 1s",
    "limit_conn ar_address 500": f"limit_conn ar_address {LIMIT}",
}


@pytest.fixture(scope="module")
def edge(server, tmp_path_factory):
    """One with short timeouts."""
    with nginx(tmp_path_factory.mktemp("nginx"), server.port, changes=QUICKLY) as started:
        yield started


@contextlib.contextmanager
def connections(edge, number, first, address="127.0.0.1"):
    """So many connections from an address, each with the same first bytes on it."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(number):
            one = socket.create_connection(("127.0.0.1", edge.port), 20, (address, 0))
            made.append(stack.enter_context(one))
            one.sendall(first)
        yield made


def last_words(connection):
    """What the server says before it closes."""
    with contextlib.suppress(ConnectionError):
        return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""


@pytest.mark.parametrize(
    "half",
    [
        b"P",
        HEAD,
        HEAD + b"Content-Length: 50\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
def test_half_a_request_is_given_up(edge, half):
    """Without a word: nginx knows no 408, which RFC 9110 (15.5.9) leaves to a server."""
    with connections(edge, 1, half) as (connection,):
        begun = time.monotonic()
        assert last_words(connection) == b""
    assert 0.5 < time.monotonic() - begun < 10


def test_a_byte_now_and_then_does_not_help(edge):
    with connections(edge, 1, HEAD + b"X: ") as (connection,):
        connection.settimeout(0.2)
        for _ in range(100):
            with contextlib.suppress(TimeoutError):
                assert last_words(connection) == b""
                break
            connection.sendall(b"x")
        else:
            pytest.fail("it is still there")


def test_who_waits_between_requests_may_stay(edge):
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=20)
    for _ in range(2):
        connection.request("GET", "/health/live")
        assert connection.getresponse().read()
        time.sleep(2.5)
    connection.close()


def test_who_reads_late_gets_everything(edge):
    """More than the system keeps for a socket, asked for at once and read with a pause."""
    many, one = 150, b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n"
    length = len(edge.ask("GET", "/api/openapi.json")[2])
    assert many * length > 8 * 2**20
    with connections(edge, 1, (one + b"\r\n") * (many - 1)) as (connection,):
        connection.sendall(one + b"Connection: close\r\n\r\n")
        time.sleep(0.5)
        assert edge.ask("GET", "/health/live")[0] == 200
        said = last_words(connection)
    assert said.count(b"HTTP/1.1 200 OK\r\n") == many
    assert len(said) > many * length


def test_a_large_image_arrives_whole(edge, stage, project, write_token):
    comment = b"\xff\xfe\xff\xff" + os.urandom(0xFFFD)
    data = CHINA[:2] + comment * 192 + CHINA[2:]
    target = stage.target(project, data)
    request = f"GET {target.image} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    request += f"Authorization: {write_token.headers['Authorization']}\r\n\r\n"
    with connections(edge, 1, b"") as (connection,):
        connection.sendall(request.encode())
        time.sleep(0.3)
        said = last_words(connection)
    assert said.partition(b"\r\n\r\n")[2] == data


def test_who_says_nothing_is_let_go(edge):
    with connections(edge, 1, b"") as made:
        assert last_words(made[0]) == b""


@pytest.mark.parametrize("half", [b"", b"\r\n", b"P", HEAD])
def test_more_connections_than_there_may_be_keep_nobody_out(edge, half):
    with connections(edge, 1, b"", "127.0.0.2") as (other,):
        with connections(edge, 2 * LIMIT, half):
            for _ in range(5):
                assert edge.ask("GET", "/health/live")[0] == 200
        # Who has one connection keeps it.
        other.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_logins_wait_for_each_other_and_for_nobody_else(edge, owner):
    body = json.dumps({"login": owner.login, "password": PASSWORD}).encode()
    login = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    answered = []

    def note(connection):
        answered.append(last_words(connection).startswith(b"HTTP/1.1 "))

    with connections(edge, 16, login) as made:
        readers = [threading.Thread(target=note, args=(one,)) for one in made]
        for reader in readers:
            reader.start()
        for _ in range(3):
            status = edge.ask("GET", "/api/project", **owner.headers)[0]
            assert status == 200
        before = len(answered)
        for reader in readers:
            reader.join()
    assert all(answered)
    # In one queue, most logins would have been answered before the first GET.
    assert before < 12
