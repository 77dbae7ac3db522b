"""Requests whose end two servers could see in two places: a 400, and silence."""

import json
import re
import socket

import pytest

from ..client import check_error

POST = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
BODY = b'{"login":"olga","password":"wrong"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
# What somebody would like to have taken for a request of its own.
SMUGGLED = b"GET /api/zoo HTTP/1.1\r\nHost: x\r\n\r\n"


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
    "another encoding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "nearly an encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "an encoding behind a tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKS,
    "an encoding in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n' + CHUNKS,
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
    "two numbers": POST + b"Content-Length: 3 5\r\n\r\n" + BODY,
    "a comma": POST + b"Content-Length: 35,\r\n\r\n" + BODY,
    "a fraction": POST + b"Content-Length: 35.0\r\n\r\n" + BODY,
    "many digits": POST + b"Content-Length: " + b"9" * 6000 + b"\r\n\r\n" + BODY,
    "other digits": POST + "Content-Length: ٣٥\r\n\r\n".encode() + BODY,
    # Lines that end or go on in an odd way.
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "a folded encoding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "folded from the start": GET.replace(b"\r\nHost", b"\r\n X: y\r\nHost") + b"\r\n",
    "a bare CR": GET + b"X: a\rContent-Length: 5\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 35\r\n\r\n" + BODY,
    "a tab before the colon": POST + b"Transfer-Encoding\t: chunked\r\n\r\n" + CHUNKS,
    "a NUL in a name": POST + b"Content-Length\0: 35\r\n\r\n" + BODY,
    "a NUL in a value": GET + b"X: a\0b\r\n\r\n",
    "no name": GET + b": 35\r\n\r\n",
    "no colon": GET + b"Content-Length\r\n\r\n",
    # The request line, and whom it is for.
    "no Host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: y\r\n\r\n",
    "HTTP/2.0": GET.replace(b"1.1", b"2.0") + b"\r\n",
    "HTTP/0.9": GET.replace(b"1.1", b"0.9") + b"\r\n",
    "another protocol": GET.replace(b"HTTP", b"ICAP") + b"\r\n",
    "the start of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two spaces": GET.replace(b" HTTP", b"  HTTP") + b"\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(90) + b"\r\n\r\n",
    # Chunks.
    "a negative chunk": POST + CHUNKED + b"\r\n-1\r\n" + BODY,
    "a chunk in hexadecimal, twice": POST + CHUNKED + b"\r\n0x23\r\n" + BODY + b"\r\n0\r\n\r\n",
    "no line's end behind a chunk": POST + CHUNKED + b"\r\n23\r\n" + BODY + b"0\r\n\r\n",
    "a chunk that goes on": POST + CHUNKED + b"\r\n1\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a space before a chunk's size": POST + CHUNKED + b"\r\n 23\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a bare LF in an extension": POST + CHUNKED + b"\r\n23;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a huge chunk's size": POST + CHUNKED + b"\r\n" + b"f" * 600 + b"\r\n" + BODY + b"\r\n\r\n",
}


@pytest.mark.parametrize("shape", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(edge, shape):
    (status, body), *others = answers(edge.say(REFUSED[shape] + SMUGGLED))
    assert status == 400
    check_error(json.loads(body))
    # Nothing behind it has been taken for a request.
    assert others == []


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /health/live\r\nHost: x\r\n\r\n",
        b"GET /health/live\n HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_has_no_version_is_answered_as_in_1991(edge, raw):
    """HTTP/0.9 has no status and no headers, and one request on a connection."""
    check_error(json.loads(edge.say(raw + SMUGGLED)))


# What RFC 9112 lets a server take (2.2, 7.1.1), and nginx 1.22 takes. Behind it there is one
# reading: what goes on to the application has been written anew, with one length.
LENIENT = {
    "a bare LF": (GET + b"X: a\nContent-Length: 5\r\n\r\n", [200, 400]),
    "a bare LF after a chunk's size": (
        POST + CHUNKED + b"\r\n23\n" + BODY + b"\r\n0\r\n\r\n",
        [401, 404],
    ),
    "an odd extension": (
        POST + CHUNKED + b'\r\n23;="\r\n' + BODY + b"\r\n0\r\n\r\n",
        [401, 404],
    ),
}


@pytest.mark.parametrize("shape", LENIENT)
def test_what_nginx_takes_has_one_end(edge, rows_removed, shape):
    raw, statuses = LENIENT[shape]
    last = SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert [status for status, _ in answers(edge.say(raw + last))] == statuses


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
def test_what_is_behind_a_good_request_is_the_next_one(edge, rows_removed, shape):
    last = SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert [status for status, _ in answers(edge.say(TAKEN[shape] + last))] == [401, 404]


CLOSE = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        # One header of more than 8 KiB, all of them more than 64 KiB, more than 90 of them; a
        # request line of more than 8 KiB.
        (GET + b"X: ".ljust(8_300, b"x") + b"\r\n\r\n", 431),
        (GET + b"".join(b"X-%d: y\r\n" % n for n in range(9_000)), 431),
        (GET + b"".join(b"X-%d: y\r\n" % n for n in range(95)) + b"\r\n", 431),
        (GET + b"Range: bytes=" + b"0-1," * 12_000 + b"\r\n" + CLOSE, 431),
        (b"GET /".ljust(8_300, b"x"), 414),
        (GET.replace(b"live", b"live?" + b"a=b&" * 12_000) + CLOSE, 414),
        (b"x" * 65_536, 400),
        # And a little less.
        (GET + b"X: ".ljust(7_900, b"x") + b"\r\n" + CLOSE, 200),
        (GET + b"".join(b"X: %d\r\n" % n for n in range(85)) + CLOSE, 200),
        (GET + b"Range: bytes=" + b"0-1," * 1_900 + b"\r\n" + CLOSE, 200),
        (GET + b"Accept: " + b"a/b;q=0.1," * 780 + b"\r\n" + CLOSE, 200),
        (GET + b"Cookie: " + b"a=b; " * 1_500 + b"\r\n" + CLOSE, 200),
        (GET.replace(b"live", b"live?" + b"a=b&" * 1_900) + CLOSE, 200),
        (GET.replace(b"live", b"live" + b"/" * 7_900) + CLOSE, 404),
        (GET.replace(b"live", b"live" + b"%2F" * 2_600) + CLOSE, 404),
        (GET.replace(b"live", b"live" + b"%ff" * 2_600) + CLOSE, 404),
        (GET.replace(b"/health", b"http://[::1/health") + CLOSE, 400),
        (b"POST /api/user HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 18 + b"\r\n\r\n", 413),
        (b"POST /api/user HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
    ],
    ids=lambda value: value[:40].decode() if isinstance(value, bytes) else str(value),
)
def test_huge_headers_and_paths(edge, raw, status):
    (only,) = answers(edge.say(raw))
    assert only[0] == status


def test_half_requests_that_are_left(edge):
    for half in (
        b"",
        b"\r\n",
        b"G",
        GET,
        POST + LENGTH + b"\r\n" + BODY[:9],
        POST + CHUNKED + b"\r\n" + b"23\r\n",
    ):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", edge.port)) as connection:
                connection.sendall(half)
    assert edge.ask("GET", "/health/ready")[0] == 200
