"""Fibres on real sockets: they give way where they would wait, and go on with what is theirs."""

import contextlib
import datetime as dt
import io
import select
import socket
import ssl
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyramid.threadlocal import get_current_request, manager

from ar_targets import fibre
from ar_targets.fibre import Fibre
from ar_targets.wire import stream

from .driver import Driver


class Loop:
    """The least that wakes fibres."""

    def __init__(self):
        self.asleep = {}
        self.due = deque()
        self.threads = ThreadPoolExecutor(2)

    def wake(self, sleeper, number, seconds, *, to_write):
        event = select.POLLOUT if to_write else select.POLLIN
        self.asleep[number] = sleeper, event, time.monotonic() + seconds

    def soon(self, work):
        self.due.append(work)

    def begin(self, work, *arguments):
        """Run it up to the first time that it gives way; what it will have returned is kept."""
        results = []
        Fibre(lambda: results.append(work(*arguments)), self, self.threads).switch()
        return results

    def run(self, until, seconds=10):
        """Go on until a condition is true."""
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline
            poll = select.poll()
            for number, (_, event, _) in self.asleep.items():
                poll.register(number, event)
            for number, _ in poll.poll(10):
                self.asleep.pop(number)[0].switch()
            for number, (sleeper, _, end) in list(self.asleep.items()):
                if time.monotonic() > end:
                    del self.asleep[number]
                    sleeper.throw(TimeoutError("timed out"))
            while self.due:
                self.due.popleft()()


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.threads.shutdown()


@pytest.fixture
def pair():
    """Two ends of a connection; the first has a timeout, as the driver's has."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def read(connection, size):
    return connection._rfile.read(size)


def test_several_wait_in_one_thread(loop):
    pairs = [socket.socketpair() for _ in range(3)]
    results = []
    for ours, _ in pairs:
        ours.settimeout(5)
        driver = Driver(ours)
        stream.give_way(driver)
        results.append(loop.begin(read, driver, 3))
    assert results == [[], [], []]
    for place in (2, 0, 1):
        pairs[place][1].sendall(bytes([place]))
        pairs[place][1].sendall(bytes([place, place]))
        loop.run(lambda place=place: results[place])
    assert results == [[b"\0\0\0"], [b"\1\1\1"], [b"\2\2\2"]]
    for ends in pairs:
        for end in ends:
            end.close()


def test_who_is_no_fibre_waits(pair):
    ours, theirs = pair
    driver = Driver(ours)
    stream.give_way(driver)
    threading.Timer(0.1, theirs.sendall, [b"late"]).start()
    assert read(driver, 4) == b"late"
    assert fibre.current() is None


def test_nothing_comes(loop, pair):
    pair[0].settimeout(0.2)
    driver = Driver(pair[0])
    stream.give_way(driver)
    errors = []

    def work():
        try:
            driver._read_bytes(4)
        except pymysql.OperationalError as error:
            errors.append(error)

    loop.begin(work)
    loop.run(lambda: errors)
    # What tells a server that hangs from one that is gone.
    assert "timed out" in str(errors[0])
    assert not driver.open


def test_each_has_its_own_current_request(loop, pair):
    seen = []

    def work(name, end):
        manager.push({"request": name, "registry": None})
        fibre.current().wait(end.fileno(), 5)
        seen.append(get_current_request())
        manager.pop()

    for name, end in zip(("first", "second"), pair, strict=True):
        loop.begin(work, name, end)
    assert get_current_request() is None
    # The first goes on while the second is asleep.
    pair[1].sendall(b"x")
    loop.run(lambda: seen)
    assert seen == ["first"]
    pair[0].sendall(b"x")
    loop.run(lambda: len(seen) == 2)
    assert seen == ["first", "second"]


def test_what_a_thread_does(loop):
    def work():
        here = threading.get_ident()
        there = fibre.current().in_thread(threading.get_ident)
        with pytest.raises(ZeroDivisionError):
            fibre.current().in_thread(lambda: 1 // 0)
        return here == threading.get_ident() != there

    done = loop.begin(work)
    assert done == []
    loop.run(lambda: done)
    assert done == [True]


def test_more_is_written_than_the_system_takes(loop, pair):
    ours, theirs = pair
    driver, data = Driver(ours), bytes(range(256)) * 20_000
    done = loop.begin(stream.write, driver, data)
    assert done == []
    taken = bytearray()
    theirs.settimeout(0.05)

    def all_taken():
        with contextlib.suppress(TimeoutError):
            taken.extend(theirs.recv(65536))
        return len(taken) == len(data)

    loop.run(all_taken)
    assert done == [None]
    assert taken == data


def test_nobody_is_there_to_write_to(loop, pair):
    ours, theirs = pair
    theirs.close()
    driver = Driver(ours)

    def work():
        with pytest.raises(pymysql.OperationalError, match="gone away"):
            stream.write(driver, b"x")
        return driver.open

    assert loop.begin(work) == [False]


@pytest.fixture
def encrypted(pair, tmp_path):
    """Both ends, with TLS between them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "database")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(hours=1))
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "database.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    at_server.load_cert_chain(path)
    at_client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    at_client.check_hostname, at_client.verify_mode = False, ssl.CERT_NONE
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(at_server.wrap_socket, pair[1], server_side=True)
        ours = at_client.wrap_socket(pair[0])
        theirs = accepted.result()
    with ours, theirs:
        yield ours, theirs


def test_with_tls(loop, encrypted):
    ours, theirs = encrypted
    driver = Driver(ours)
    stream.give_way(driver)
    # More than a buffer takes, less than a record: the rest is waiting inside the library.
    got = loop.begin(read, driver, 12_000)
    assert got == []
    theirs.sendall(b"a" * 12_000)
    loop.run(lambda: got)
    assert got == [b"a" * 12_000]
    done = loop.begin(stream.write, driver, b"b" * 100_000)
    taken = b""
    while len(taken) < 100_000:
        taken += theirs.recv(65536)
    loop.run(lambda: done)
    assert taken == b"b" * 100_000
    assert isinstance(driver._rfile, io.BufferedReader)
