"""Packets that come in pieces, cut anywhere, are read whole and in order."""

import io
import socket
import threading

import pymysql
import pytest

from ar_targets.wire import packet, stream

from .driver import Driver

ERROR = b"\xff\x15\x04#28000no"
ROWS = [b"a", b"", b"b" * 300, b"c" * 40_000, b"d" * 3]


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(0.5)
    with ours, theirs:
        driver = Driver(ours)
        stream.give_way(driver)
        yield driver, theirs


def framed(rows):
    return b"".join(
        len(row).to_bytes(3, "little") + bytes([place + 1]) + row for place, row in enumerate(rows)
    )


def read(driver, number):
    packets = []
    while len(packets) < number:
        packets += packet.several(driver)
    return packets


@pytest.mark.parametrize("piece", [1, 3, 4, 5, 6, 7, 100, 305, 40_000, 10**6])
def test_in_pieces(pair, piece):
    driver, theirs = pair
    # An empty packet is none that a row can be, so they have a byte each.
    rows = [b"r" + row for row in ROWS]
    data = framed(rows)
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    sender = threading.Thread(target=lambda: [theirs.sendall(each) for each in pieces])
    sender.start()
    assert read(driver, len(rows)) == rows
    sender.join()


def test_an_error_after_rows(pair):
    driver, theirs = pair
    theirs.sendall(framed([b"rows", ERROR]))
    with pytest.raises(pymysql.OperationalError, match="no"):
        read(driver, 2)
    # All is read: the connection can go on.
    theirs.sendall(framed([b"more"]))
    assert read(driver, 1) == [b"more"]


@pytest.mark.parametrize("sent", [b"", framed([b"rows"])[:-1], framed([b"rows"])[:2]])
@pytest.mark.parametrize("ends", [True, False])
def test_the_rest_does_not_come(pair, sent, ends):
    driver, theirs = pair
    theirs.sendall(sent)
    if ends:
        theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(pymysql.OperationalError, match="Lost connection") as caught:
        read(driver, 1)
    assert ("timed out" in str(caught.value)) is not ends
    assert not driver.open
    assert isinstance(driver._rfile, io.BufferedReader | None)
