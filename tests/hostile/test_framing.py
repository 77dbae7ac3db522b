"""Requests whose end two servers could see in two places: a 400, and silence."""

import json
import re
import socket

import pytest
from waitress.adjustments import Adjustments

from ar_targets.server import HEADER_BYTES
from ar_targets.server.framing import CHUNK_OVERHEAD, StrictParser

from ..client import check_error
from ..functional.test_server import running
from .cost import cheap

POST = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
BODY = b'{"login":"olga","password":"wrong"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
# What somebody would like to have taken for a request of its own.
SMUGGLED = b"GET /api/zoo HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    with running(database_url, tmp_path_factory.mktemp("server"), "") as started:
        yield started


def answers(raw):
    """(status, body) of each response in what a server said."""
    found = []
    while raw:
        head, _, raw = raw.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 100"):
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            found.append((int(head.split()[1]), raw[:length]))
            raw = raw[length:]
    return found


REFUSED = {
    # Two lengths.
    "length and chunks": POST + LENGTH + CHUNKED + b"\r\n" + CHUNKS,
    "chunks and length": POST + CHUNKED + LENGTH + b"\r\n" + CHUNKS,
    "two lengths": POST + LENGTH + b"Content-Length: 0\r\n\r\n" + BODY,
    "the same length twice": POST + LENGTH + LENGTH + b"\r\n" + BODY,
    "a list of lengths": POST + b"Content-Length: 35, 35\r\n\r\n" + BODY,
    "chunked twice": POST + CHUNKED + CHUNKED + b"\r\n" + CHUNKS,
    "chunked, chunked": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKS,
    "no encoding": POST + b"Transfer-Encoding:\r\n\r\n" + CHUNKS,
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n" + CHUNKS,
    "and kept alive": (
        POST.replace(b"1.1", b"1.0") + CHUNKED + b"Connection: keep-alive\r\n\r\n" + CHUNKS
    ),
    "chunks in HTTP/1.2": POST.replace(b"1.1", b"1.2") + CHUNKED + b"\r\n" + CHUNKS,
    # Odd lengths.
    "a sign": POST + b"Content-Length: +35\r\n\r\n" + BODY,
    "a minus": POST + b"Content-Length: -35\r\n\r\n" + BODY,
    "hexadecimal": POST + b"Content-Length: 0x23\r\n\r\n" + BODY,
    "an underscore": POST + b"Content-Length: 3_5\r\n\r\n" + BODY,
    "a word": POST + b"Content-Length: many\r\n\r\n" + BODY,
    "nothing": POST + b"Content-Length:\r\n\r\n" + BODY,
    "a fraction": POST + b"Content-Length: 35.0\r\n\r\n" + BODY,
    "many digits": POST + b"Content-Length: " + b"9" * 6000 + b"\r\n\r\n" + BODY,
    "other digits": POST + "Content-Length: ٣٥\r\n\r\n".encode() + BODY,
    # Lines that end or go on in an odd way.
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "a folded encoding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "folded from the start": GET.replace(b"\r\nHost", b"\r\n X: y\r\nHost") + b"\r\n",
    "a bare LF": GET + b"X: a\nContent-Length: 5\r\n\r\n",
    "a bare CR": GET + b"X: a\rContent-Length: 5\r\n\r\n",
    "a bare LF in the request line": b"GET /health/live\n HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 35\r\n\r\n" + BODY,
    "a tab before the colon": POST + b"Transfer-Encoding\t: chunked\r\n\r\n" + CHUNKS,
    "a NUL in a name": POST + b"Content-Length\0: 35\r\n\r\n" + BODY,
    "a NUL in a value": GET + b"X: a\0b\r\n\r\n",
    "no name": GET + b": 35\r\n\r\n",
    "no colon": GET + b"Content-Length\r\n\r\n",
    # The request line, and whom it is for.
    "no Host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: y\r\n\r\n",
    "no version": b"GET /health/live\r\nHost: x\r\n\r\n",
    "HTTP/2.0": GET.replace(b"1.1", b"2.0") + b"\r\n",
    "HTTP/0.9": GET.replace(b"1.1", b"0.9") + b"\r\n",
    "another protocol": GET.replace(b"HTTP", b"ICAP") + b"\r\n",
    "the start of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two spaces": GET.replace(b" HTTP", b"  HTTP") + b"\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(90) + b"\r\n\r\n",
    # Chunks.
    "a negative chunk": POST + CHUNKED + b"\r\n-1\r\n" + BODY,
    "a chunk in hexadecimal, twice": POST + CHUNKED + b"\r\n0x23\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk that goes on": POST + CHUNKED + b"\r\n1\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a bare LF after a chunk's size": POST + CHUNKED + b"\r\n23\n" + BODY + b"\r\n0\r\n\r\n",
    "a space before a chunk's size": POST + CHUNKED + b"\r\n 23\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a bare LF in an extension": POST + CHUNKED + b"\r\n23;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n",
    "an odd extension": POST + CHUNKED + b'\r\n23;="\r\n' + BODY + b"\r\n0\r\n\r\n",
    "a huge chunk's size": POST + CHUNKED + b"\r\n" + b"f" * 600 + b"\r\n" + BODY + b"\r\n\r\n",
}


@pytest.mark.parametrize("shape", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(server, shape):
    (status, body), *others = answers(server.say(REFUSED[shape] + SMUGGLED))
    assert status == (413 if shape == "a huge chunk's size" else 400)
    check_error(json.loads(body))
    # Nothing behind it has been taken for a request.
    assert others == []


TAKEN = {
    "a length": POST + LENGTH + b"\r\n" + BODY,
    "chunks": POST + CHUNKED + b"\r\n" + CHUNKS,
    "chunks, in capitals": POST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n" + CHUNKS,
    "zeros before a length": POST + b"Content-Length: 0035\r\n\r\n" + BODY,
    "an extension": POST + CHUNKED + b'\r\n23;a=b;c="d"\r\n' + BODY + b"\r\n0\r\n\r\n",
    "a trailer": POST + CHUNKED + b"\r\n23\r\n" + BODY + b"\r\n0\r\nContent-Length: 9\r\n\r\n",
    "a chunk a byte": POST
    + CHUNKED
    + b"\r\n"
    + b"".join(b"1\r\n%c\r\n" % c for c in BODY)
    + CHUNKS[-5:],
    "100-continue": POST + LENGTH + b"Expect: 100-continue\r\n\r\n" + BODY,
    # Names with an underscore are left out, so that nobody takes them for those with a hyphen.
    "an underscore in a name": POST + LENGTH + b"Transfer_Encoding: chunked\r\n\r\n" + BODY,
}


@pytest.mark.parametrize("shape", TAKEN)
def test_what_is_behind_a_good_request_is_the_next_one(server, rows_removed, shape):
    last = SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert [status for status, _ in answers(server.say(TAKEN[shape] + last))] == [401, 404]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ((GET + b"X: ").ljust(HEADER_BYTES, b"x"), 431),
        ((GET + b"".join(b"X-%d: y\r\n" % n for n in range(9_000)))[:HEADER_BYTES], 431),
        (b"GET /".ljust(HEADER_BYTES, b"x"), 431),
        (b"x" * HEADER_BYTES, 431),
        (
            GET + b"".join(b"X: %d\r\n" % n for n in range(6_000)) + b"Connection: close\r\n\r\n",
            200,
        ),
        (GET + b"Range: bytes=" + b"0-1," * 12_000 + b"\r\nConnection: close\r\n\r\n", 200),
        (GET + b"Accept: " + b"a/b;q=0.1," * 6_000 + b"\r\nConnection: close\r\n\r\n", 200),
        (GET + b"Cookie: " + b"a=b; " * 12_000 + b"\r\nConnection: close\r\n\r\n", 200),
        (GET.replace(b"live", b"live?" + b"a=b&" * 12_000) + b"Connection: close\r\n\r\n", 200),
        (GET.replace(b"live", b"live" + b"/" * 60_000) + b"Connection: close\r\n\r\n", 404),
        (GET.replace(b"live", b"live" + b"%2F" * 20_000) + b"Connection: close\r\n\r\n", 404),
        (GET.replace(b"live", b"live" + b"%ff" * 20_000) + b"Connection: close\r\n\r\n", 404),
        (GET.replace(b"/health", b"http://[::1/health") + b"Connection: close\r\n\r\n", 400),
        (b"POST /api/user HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 413),
    ],
    ids=lambda value: value[:40].decode() if isinstance(value, bytes) else str(value),
)
def test_huge_headers_and_paths(server, raw, status):
    (only,) = answers(server.say(raw))
    assert only[0] == status


def parsed(pieces):
    """Give bytes to a parser, a piece at a time as they come from a socket; its error."""
    parser = StrictParser(Adjustments(max_request_body_size=30 * 2**20))
    for piece in pieces:
        rest = piece
        while rest and not parser.completed:
            rest = rest[parser.received(rest) :]
    parser.close()
    return parser.error


def pieces(raw, size):
    return (raw[at : at + size] for at in range(0, len(raw), size))


START = POST + CHUNKED + b"\r\n"
COSTLY = {
    "a header of spaces, and a NUL": pieces(GET + b"X:" + b" " * 60_000 + b"\0\r\n\r\n", 2**18),
    "a line before a chunk without end": pieces(START + b"1" * 2**24, 1400),
    "an extension without end": pieces(START + b"1;a=" + b"a" * 2**24, 1400),
    "a trailer without end": pieces(START + b"0\r\n" + b"a: b\r\n" * 2**22, 1400),
    "a chunk a byte": pieces(START + b"1\r\nx\r\n" * 2**22, 2**18),
}


@pytest.mark.parametrize("shape", COSTLY)
def test_what_would_take_waitress_minutes(shape):
    with cheap():
        error = parsed(COSTLY[shape])
    assert error.code == 400


def test_as_many_chunks_as_lines_of_base64():
    lines = (b"4d\r\n" + b"A" * 76 + b"\n\r\n") * 130_000
    assert CHUNK_OVERHEAD > 6 * 130_000
    with cheap():
        assert parsed(pieces(START + lines + b"0\r\n\r\n", 2**16)) is None


def test_half_requests_that_are_left(server):
    for half in (b"", b"\r\n", b"G", GET, POST + LENGTH + b"\r\n" + BODY[:9], START + b"23\r\n"):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(half)
    assert server.ask("GET", "/health/ready")[0] == 200
