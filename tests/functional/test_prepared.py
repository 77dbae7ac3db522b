"""Values that travel beside the SQL: all kinds arrive, and a failure leaves nothing behind."""

from datetime import datetime

import pymysql
import pytest

from ar_targets import prepared

INSERT = (
    "INSERT INTO parcel (number, label, moment, nothing, large) "
    "VALUES (%(number)s, %(label)s, %(moment)s, %(nothing)s, %(large)s)"
)
MOMENT = datetime(2026, 11, 23, 10, 15, 30, 123456)  # noqa: DTZ001  moments are naive here
PARCEL = {
    "number": 2**40,
    "label": "é😀'\"\\%s",
    "moment": MOMENT,
    "nothing": None,
    "large": bytes(range(256)) * 40_000,
}


@pytest.fixture
def connection(app):
    """The driver's own connection, with a table that ends with it."""
    with app.registry.engine.connect() as pooled:
        driver = pooled.connection.driver_connection
        with driver.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE parcel (id BIGINT AUTO_INCREMENT PRIMARY KEY, "
                "number BIGINT, label VARCHAR(300) CHARACTER SET utf8mb4, moment DATETIME(6), "
                "nothing INT, large LONGBLOB)"
            )
        yield driver
        pooled.invalidate()


def stored(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, label, moment, nothing, large FROM parcel ORDER BY id")
        return cursor.fetchall()


def closed(connection):
    """How many prepared statements the session has closed."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_stmt_close'")
        return int(cursor.fetchone()[1])


def test_values_of_all_kinds(connection):
    assert prepared.execute(connection, INSERT, PARCEL) == (1, 1)
    long_label = PARCEL | {"label": "x" * 300, "large": b"", "number": -1}
    assert prepared.execute(connection, INSERT, long_label) == (1, 2)
    assert stored(connection) == (tuple(PARCEL.values()), (-1, "x" * 300, MOMENT, None, b""))


def test_a_failure_leaves_nothing_behind(connection):
    before = closed(connection)
    for _ in range(3):
        with pytest.raises(pymysql.err.DataError):
            prepared.execute(connection, INSERT, PARCEL | {"label": "x" * 301})
    assert closed(connection) == before + 3
    assert stored(connection) == ()
    assert prepared.execute(connection, INSERT, PARCEL)[0] == 1


def test_only_large_values_are_worth_it(connection):
    small, large = bytes(prepared.LARGE), bytes(prepared.LARGE + 1)
    assert not prepared.is_worth_it(connection, {"a": small, "b": "x" * 10**6})
    assert prepared.is_worth_it(connection, {"a": large})
    assert not prepared.is_worth_it(object(), {"a": large})
