"""Values of one column, read without the driver's help: of any size, to the end or not at all.

A statement goes out as text when it comes first, and is prepared when it comes again.
"""

from datetime import date, datetime
from decimal import Decimal

import pymysql
import pytest
from pymysql.constants import CR

from ar_targets.wire import column, prepared, text
from ar_targets.wire.packet import FULL

SIZES = [0, 1, 250, 251, 252, 65_535, 65_536, 65_537, 2**24 - 10, FULL - 4, FULL - 3, FULL, 2**24]


@pytest.fixture
def connection(app):
    """The driver's own connection."""
    with app.registry.engine.connect() as pooled:
        yield pooled.connection.driver_connection
        pooled.invalidate()


def always(read, connection, statement, parameters):
    """What is read when the statement is text, when it is prepared, and when it has been."""
    first, *others = (read(connection, statement, parameters) for _ in range(3))
    assert others == [first, first]
    return first


def read(connection, statement, parameters):
    return always(column.read, connection, statement, parameters)


def read_pairs(connection, statement, parameters):
    return always(column.read_pairs, connection, statement, parameters)


def status(connection, name):
    """A counter of the session."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE %s", (name,))
        return int(cursor.fetchone()[1])


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


@pytest.mark.parametrize("size", [None, *SIZES])
def test_pairs(connection, size):
    text = "SELECT REPEAT('x', %(small)s), REPEAT(%(byte)s, %(size)s)"
    for small in (0, 250, 251):
        pairs = read_pairs(connection, text, {"byte": b"\xfb", "size": size, "small": small})
        assert pairs == [(b"x" * small, None if size is None else b"\xfb" * size)]
    two = "SELECT '1', NULL UNION ALL SELECT '2', 'b' UNION ALL SELECT '3', ''"
    assert read_pairs(connection, two, {}) == [(b"1", None), (b"2", b"b"), (b"3", b"")]
    assert read_pairs(connection, "SELECT id, id FROM user WHERE id < 0", {}) == []


@pytest.mark.parametrize("first", [0x00, 0xFA, 0xFB, 0xFE, 0xFF])
def test_bytes_are_not_taken_for_the_end(connection, first):
    value = bytes([first]) * 3
    assert read(connection, "SELECT %(value)s", {"value": value}) == [value]


def test_a_wrong_statement(connection):
    for _ in range(3):
        with pytest.raises(pymysql.err.OperationalError):
            column.read(connection, "SELECT nothing FROM user", {})
    assert read(connection, "SELECT '1'", {}) == [b"1"]


def test_an_error_in_the_middle(connection):
    """The first row has gone out already when the second cannot be made."""
    number = "SELECT n * 10000 FROM (SELECT 1 AS n UNION ALL SELECT 9223372036854775807) AS two"
    for _ in range(3):
        with pytest.raises(pymysql.err.MySQLError):
            column.read(connection, number, {})
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
    monkeypatch.setattr(connection, "_read_bytes", lambda _size: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read(connection, "SELECT '1'", {})
    assert not connection.open


def test_what_the_server_says_unasked_ends_the_connection(connection, monkeypatch):
    """MariaDB says so, as the packet of no answer, that it shuts down."""
    monkeypatch.setattr(connection, "_read_bytes", bytes)
    with pytest.raises(pymysql.err.OperationalError, match="Lost connection") as caught:
        read(connection, "SELECT '1'", {})
    assert caught.value.args[0] == CR.CR_SERVER_LOST
    assert not connection.open


VALUES = [
    *(0, -1, 2**63, True, False, None, 1.5, 1e300, Decimal("1.10")),
    *("", "é😀", "'\"\\%s%(a)s\0\n\r\x1a", "--", b"", b"'\\\0\xff"),
    *(datetime(2026, 11, 23), datetime(1, 2, 3, 4, 5, 6, 7), datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001  moments are naive here
    *([1, "'"], date(2026, 11, 23)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_are_written_as_the_driver_does(connection, value):
    statement = "SELECT %(value)s, '100 %%', %(value)s"
    written = text.render(connection, statement, {"value": value})
    assert written.decode() == connection.cursor().mogrify(statement, {"value": value})


@pytest.mark.parametrize("backslashes", [True, False])
def test_text_comes_back(connection, backslashes):
    if not backslashes:
        with connection.cursor() as cursor:
            cursor.execute("SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')")
    evil = "\\'; DROP TABLE user; -- \\"
    assert read(connection, "SELECT %(evil)s", {"evil": evil}) == [evil.encode()]


WHOLE = [value for value in VALUES if not isinstance(value, float | Decimal | list)]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
def test_values_come_back_the_same_beside_the_statement(connection, value):
    statement = "SELECT COALESCE(CONCAT(%(value)s, ' 100 %%', %(value)s), '')"
    read(connection, statement, {"value": value})


def test_what_comes_again_is_prepared_once(connection):
    statement, before = "SELECT %(a)s", status(connection, "Com_stmt_prepare")
    assert read(connection, statement, {"a": "x"}) == [b"x"]
    assert read(connection, statement, {"a": "y"}) == [b"y"]
    assert status(connection, "Com_stmt_prepare") == before + 1
    assert status(connection, "Com_stmt_execute") >= 5


def test_a_connection_keeps_so_many_statements(connection, monkeypatch):
    monkeypatch.setattr(prepared, "MOST", 3)
    before = status(connection, "Com_stmt_prepare")
    for number in range(6):
        assert read(connection, f"SELECT %(a)s AS c{number}", {"a": "x"}) == [b"x"]
    assert status(connection, "Com_stmt_prepare") <= before + 3


def test_a_server_that_keeps_no_more_statements(app, connection):
    with app.registry.engine.connect() as other:
        most = other.exec_driver_sql("SELECT @@max_prepared_stmt_count").scalar_one()
        other.exec_driver_sql("SET GLOBAL max_prepared_stmt_count = 0")
        try:
            assert read(connection, "SELECT %(a)s AS full", {"a": "x"}) == [b"x"]
        finally:
            other.exec_driver_sql(f"SET GLOBAL max_prepared_stmt_count = {most}")
    before = status(connection, "Com_stmt_prepare")
    assert column.read(connection, "SELECT %(a)s AS full", {"a": "x"}) == [b"x"]
    assert status(connection, "Com_stmt_prepare") == before + 1


def test_a_statement_without_values(connection):
    assert text.render(connection, "SELECT '%'", None) == b"SELECT '%'"
