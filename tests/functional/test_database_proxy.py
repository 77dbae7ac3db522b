"""The proxy that other tests believe: what it counts, and how it breaks, with any driver."""

import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from ..database_proxy import fault
from ..database_proxy.proxy import DatabaseProxy, upstream_of

INSERT = text("INSERT INTO parcel (number, label, large) VALUES (:number, :label, :large)")
SELECT = text("SELECT number, label, large FROM parcel WHERE number >= :number ORDER BY number")
# More than is read at once.
LARGE = bytes(range(256)) * 8_000

# PyMySQL leaves the closing of a socket that was cut to Python.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")


@pytest.fixture
def proxy(database_url):
    with DatabaseProxy(upstream_of(database_url)) as made:
        yield made


@pytest.fixture
def engine(proxy, database_url):
    made = create_engine(proxy.url_for(database_url))
    with made.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS parcel")
        connection.exec_driver_sql(
            "CREATE TABLE parcel (number BIGINT PRIMARY KEY, label VARCHAR(300) "
            "CHARACTER SET utf8mb4, large LONGBLOB) ENGINE=InnoDB"
        )
    yield made
    with made.begin() as connection:
        connection.exec_driver_sql("DROP TABLE parcel")
    made.dispose()


def put(engine, number, large=b""):
    with engine.begin() as connection:
        values = {"number": number, "label": f"Nº {number}", "large": large}
        connection.execute(INSERT, values)


def numbers(engine):
    with engine.connect() as connection:
        return [row.number for row in connection.execute(SELECT, {"number": 0})]


def test_what_passes_is_whole(engine):
    put(engine, 1, LARGE)
    put(engine, 2)
    with engine.connect() as connection:
        rows = connection.execute(SELECT, {"number": 0}).all()
    assert [tuple(row) for row in rows] == [(1, "Nº 1", LARGE), (2, "Nº 2", b"")]


def test_many_rows_and_an_error_of_the_server(engine):
    with engine.begin() as connection:
        rows = [{"number": n, "label": "x" * 300, "large": b"y" * 300} for n in range(1_000)]
        connection.execute(INSERT, rows)
    assert len(numbers(engine)) == 1_000
    with pytest.raises(DBAPIError):
        put(engine, 1)
    assert len(numbers(engine)) == 1_000


def test_round_trips_and_statements(engine, proxy):
    with engine.connect() as connection, proxy.counting() as count:
        connection.execute(SELECT, {"number": 0}).all()
        connection.execute(SELECT, {"number": 1}).all()
        connection.rollback()
    assert [statement.verb for statement in count.of_request] == ["SELECT", "SELECT", "ROLLBACK"]
    assert len({statement.shape for statement in count.of_request}) == 2
    # A driver that prepares each statement may ask twice.
    assert 3 <= count.trips <= 5, count


def test_what_is_sent_at_once_is_one_round_trip(engine, proxy):
    with engine.connect() as connection, proxy.counting() as count:
        driver = connection.connection.driver_connection
        if not hasattr(driver, "_write_bytes"):
            pytest.skip("this driver cannot be made to")
        query = b"\x09\x00\x00\x00\x03SELECT 1"
        driver._write_bytes(query + query)
        for _ in range(2):
            driver._next_seq_id = 1
            driver._read_query_result()
    assert count.trips == 1, count
    assert len(count.statements) == 2


@pytest.mark.parametrize(
    ("way", "number"),
    [(fault.LOCK_WAIT, 1205), (fault.DEADLOCK, 1213), (fault.INTERRUPTED, 1317)],
)
def test_a_refusal(engine, proxy, way, number):
    put(engine, 1)
    with proxy.failing(fault.verb("INSERT"), way) as struck, pytest.raises(DBAPIError) as raised:
        put(engine, 2)
    assert number in (raised.value.orig.args[0], getattr(raised.value.orig, "errno", None))
    assert [statement.verb for statement in struck.statements] == ["INSERT"]
    assert numbers(engine) == [1]
    put(engine, 2)
    assert numbers(engine) == [1, 2]


@pytest.mark.parametrize("way", [fault.KILLED, fault.CUT_BEFORE, fault.CUT_AFTER])
@pytest.mark.parametrize("verb", ["INSERT", "COMMIT"])
def test_a_connection_that_ends(engine, proxy, way, verb):
    put(engine, 1)
    with proxy.failing(fault.verb(verb), way), pytest.raises(DBAPIError):
        put(engine, 2)
    engine.dispose()
    done = verb == "COMMIT" and way == fault.CUT_AFTER
    assert numbers(engine) == ([1, 2] if done else [1])


def test_the_nth_statement_and_all_of_a_shape(engine, proxy):
    numbers(engine)
    with proxy.failing(fault.nth(2), fault.INTERRUPTED) as struck, engine.connect() as connection:
        connection.execute(SELECT, {"number": 0}).all()
        with pytest.raises(DBAPIError):
            connection.execute(SELECT, {"number": 1}).all()
        connection.execute(SELECT, {"number": 2}).all()
    [statement] = struck.statements
    with proxy.failing(fault.like(statement), fault.INTERRUPTED, times=None) as struck:
        for _ in range(2):
            with pytest.raises(DBAPIError):
                numbers(engine)
        put(engine, 1)
    assert len(struck.statements) == 2


def test_a_delay(engine, proxy):
    numbers(engine)
    begun = time.monotonic()
    with proxy.failing(fault.verb("SELECT"), fault.Delay(0.3)):
        numbers(engine)
    assert time.monotonic() - begun > 0.3


def test_a_session_that_the_server_ends(engine, proxy):
    with engine.connect() as connection, proxy.counting() as count:
        connection.execute(SELECT, {"number": 0}).all()
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL {count.statements[0].connection}")
        with pytest.raises(DBAPIError):
            connection.execute(SELECT, {"number": 0}).all()
        connection.invalidate()
