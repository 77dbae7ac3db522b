"""Statements that go out at once, and values beside the SQL: all arrive, or nothing is left."""

from datetime import datetime

import pymysql
import pytest

from ar_targets.wire import prepared
from ar_targets.wire.pipeline import Step, execute

INSERT = (
    "INSERT INTO parcel (number, label, moment, nothing, large) "
    "VALUES (%(number)s, %(label)s, %(moment)s, %(nothing)s, %(large)s)"
)
# What the audit trail does behind a write.
NOTE = (
    "INSERT INTO parcel (label) SELECT concat('of ', last_insert_id()) FROM DUAL "
    "WHERE row_count() > %(none)s"
)
NOTED = {"none": 0}
NOTHING = "UPDATE parcel SET number = 1 WHERE id = 999"
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
    assert execute(connection, [Step(INSERT, PARCEL)]) == [(1, 1)]
    long_label = PARCEL | {"label": "x" * 300, "number": -1}
    assert execute(connection, [Step(INSERT, long_label)]) == [(1, 2)]
    assert execute(connection, [Step(INSERT, PARCEL | {"large": b"", "label": "\0"})]) == [(1, 3)]
    rows = (PARCEL, long_label, PARCEL | {"large": b"", "label": "\0"})
    assert stored(connection) == tuple(tuple(row.values()) for row in rows)


@pytest.mark.parametrize("size", [0, 250, 251, 2**16, prepared.LARGE, prepared.LARGE + 1])
def test_small_and_large_ones_by_turns(connection, size):
    """As text first, then by what is prepared: with the values in it, or before it."""
    small, some = PARCEL | {"large": b"\0'"}, PARCEL | {"large": b"\xff" * size, "number": None}
    for values in (small, small, some, small, PARCEL, some):
        assert execute(connection, [Step(INSERT, values)])[0].rows == 1
    rows = stored(connection)
    for place, values in enumerate((small, small, some, small, PARCEL, some)):
        assert rows[place] == tuple(values.values())


def test_a_failure_leaves_nothing_behind(connection):
    before = closed(connection)
    for _ in range(3):
        with pytest.raises(pymysql.err.DataError):
            execute(connection, [Step(INSERT, PARCEL | {"label": "x" * 301})])
    assert closed(connection) == before + 3
    assert stored(connection) == ()
    assert execute(connection, [Step(INSERT, PARCEL)])[0].rows == 1


def test_all_in_one_round_trip(connection, monkeypatch):
    sent = []
    write = type(connection)._write_bytes
    monkeypatch.setattr(
        connection, "_write_bytes", lambda data: (sent.append(bytes(data)), write(connection, data))
    )
    small = PARCEL | {"large": b"x"}
    steps = [Step("BEGIN"), Step(INSERT, small), Step(NOTE, NOTED), Step("COMMIT")]
    assert execute(connection, steps) == [(0, 0), (1, 1), (1, 2), (0, 0)]
    assert len(sent) == 1
    # Here both are prepared; and here they have been.
    assert execute(connection, steps) == [(0, 0), (1, 3), (1, 4), (0, 0)]
    del sent[:]
    assert execute(connection, steps) == [(0, 0), (1, 5), (1, 6), (0, 0)]
    assert len(sent) == 1
    labels = [row[1] for row in stored(connection)]
    assert labels == [each for n in (1, 3, 5) for each in (PARCEL["label"], f"of {n}")]


def test_large_values_and_small_steps(connection):
    steps = [Step("BEGIN"), Step(INSERT, PARCEL), Step(NOTE, NOTED), Step(INSERT, PARCEL)]
    assert execute(connection, steps) == [(0, 0), (1, 1), (1, 2), (1, 3)]
    assert execute(connection, [Step("ROLLBACK")]) == [(0, 0)]
    assert stored(connection) == ()


@pytest.mark.parametrize("large", [b"x", PARCEL["large"]])
def test_what_follows_a_failure_finds_no_row(connection, large):
    wrong = PARCEL | {"label": "x" * 301, "large": large}
    for _ in range(3):
        with pytest.raises(pymysql.err.DataError):
            execute(connection, [Step("BEGIN"), Step(INSERT, wrong), Step(NOTE, NOTED)])
    assert stored(connection) == ()
    # All has been read: the next answer is that of the next statement.
    assert execute(connection, [Step(NOTHING), Step(NOTE, NOTED)]) == [(0, 0), (0, 0)]


def test_a_connection_that_ends_in_between(app, connection):
    number = connection.thread_id()
    steps = [Step(INSERT, PARCEL), Step(f"KILL {number}"), Step(NOTE, NOTED)]
    with pytest.raises(pymysql.err.OperationalError):
        execute(connection, steps)
    assert not connection.open
    with pytest.raises(pymysql.err.InterfaceError):
        execute(connection, [Step(NOTE, NOTED)])


def test_a_statement_with_a_result_is_none_for_a_pipeline(connection):
    with pytest.raises(RuntimeError):
        execute(connection, [Step("SELECT 1")])
    assert not connection.open


def test_large_values_are_prepared_at_once(connection):
    text = "SELECT %(a)s, %(b)s"
    small, large = bytes(prepared.LARGE), bytes(prepared.LARGE + 1)
    assert prepared.find(connection, text, {"a": small, "b": "x" * 10**6}) is None
    assert prepared.find(connection, "SELECT 1", None) is None
    assert prepared.find(connection, f"{text}, '100 %%'", {"a": large, "b": 1}).names == ("a", "b")
