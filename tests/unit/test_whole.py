"""A response that is sent from where it is, however little the client takes at a time."""

import socket
from types import SimpleNamespace

import pytest

from ar_targets.server.patience import ImpatientChannel
from ar_targets.server.whole import WholeResponse

HEADERS, BODY = b"HTTP/1.1 200 OK\r\n\r\n", bytes(range(256)) * 4000


@pytest.mark.parametrize("step", [1, 7, len(HEADERS), len(HEADERS) + 1, 10**6, 10**7])
def test_what_has_been_sent_is_not_sent_again(step):
    body = BODY[: 50 * step]
    response, seen = WholeResponse(HEADERS, body), b""
    while len(response):
        sent = b"".join(response.get())[:step]
        response.skip(len(sent), True)
        seen += sent
        assert len(response) == len(HEADERS) + len(body) - len(seen)
    assert seen == HEADERS + body


def test_it_is_taken_whole():
    response = WholeResponse(HEADERS, BODY)
    assert b"".join(response.get(5, skip=True)) == HEADERS + BODY
    assert len(response) == 0


def test_closed_it_holds_nothing():
    response = WholeResponse(HEADERS, BODY)
    response.close()
    assert (len(response), response.get()) == (0, ())


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        yield near, far


def send(near, data):
    """As a connection would that has this socket."""
    channel = ImpatientChannel.__new__(ImpatientChannel)
    channel.__dict__.update(socket=near, handle_close=lambda: None, addr=SimpleNamespace())
    return channel.send(data)


def test_a_client_that_takes_some_of_it(pair):
    near, far = pair
    response, seen = WholeResponse(HEADERS, BODY * 10), bytearray()
    while len(response):
        if sent := send(near, response.get()):
            response.skip(sent, True)
        else:
            # It takes no more for now.
            seen += far.recv(100_000)
    near.shutdown(socket.SHUT_WR)
    while data := far.recv(100_000):
        seen += data
    assert seen == HEADERS + BODY * 10


def test_a_client_that_has_gone(pair):
    near, far = pair
    far.close()
    assert send(near, WholeResponse(HEADERS, BODY).get()) == 0
