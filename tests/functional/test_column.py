"""Values of one column, read without the driver's help: of any size, to the end or not at all."""

import pymysql
import pytest

from ar_targets.wire.column import read
from ar_targets.wire.packet import FULL

SIZES = [0, 1, 250, 251, 252, 65_535, 65_536, 65_537, 2**24 - 10, FULL - 4, FULL - 3, FULL, 2**24]


@pytest.fixture
def connection(app):
    """The driver's own connection."""
    with app.registry.engine.connect() as pooled:
        yield pooled.connection.driver_connection
        pooled.invalidate()


@pytest.mark.parametrize("size", SIZES)
def test_values_of_all_sizes(connection, size):
    # 0xFF begins an error where it begins a packet; not so in the second part of one.
    text = "SELECT REPEAT(%(byte)s, %(size)s)"
    values = read(connection, text, {"byte": b"\xff", "size": size})
    assert values == [b"\xff" * size]
    # Nothing is left for the next one to read.
    assert read(connection, "SELECT %(text)s", {"text": "é"}) == ["é".encode()]


def test_any_number_of_rows(connection):
    three = "SELECT '1' UNION ALL SELECT REPEAT('x', 300) UNION ALL SELECT ''"
    assert read(connection, three, {}) == [b"1", b"x" * 300, b""]
    assert read(connection, "SELECT id FROM user WHERE id < %(id)s", {"id": 0}) == []


@pytest.mark.parametrize("first", [0x00, 0xFA, 0xFB, 0xFE, 0xFF])
def test_bytes_are_not_taken_for_the_end(connection, first):
    value = bytes([first]) * 3
    assert read(connection, "SELECT %(value)s", {"value": value}) == [value]


def test_a_wrong_statement(connection):
    with pytest.raises(pymysql.err.OperationalError):
        read(connection, "SELECT nothing FROM user", {})
    assert read(connection, "SELECT '1'", {}) == [b"1"]


def test_an_error_in_the_middle(connection):
    """The first row has gone out already when the second cannot be made."""
    number = "SELECT n * 10000 FROM (SELECT 1 AS n UNION ALL SELECT 9223372036854775807) AS two"
    with pytest.raises(pymysql.err.MySQLError):
        read(connection, number, {})
    assert read(connection, "SELECT '1'", {}) == [b"1"]


def test_a_connection_that_has_ended(app, connection):
    with app.registry.engine.connect() as other:
        other.exec_driver_sql(f"KILL {connection.thread_id()}")
    with pytest.raises(pymysql.err.OperationalError):
        read(connection, "SELECT '1'", {})
    assert not connection.open
    with pytest.raises(pymysql.err.InterfaceError):
        read(connection, "SELECT '1'", {})


def test_what_is_no_error_of_the_drivers_ends_the_connection(connection, monkeypatch):
    monkeypatch.setattr(connection, "_read_packet", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read(connection, "SELECT '1'", {})
    assert not connection.open
