"""``ar_targets_initdb``: waits, migrates once, and says why it cannot."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.config import Config
from sqlalchemy import create_engine, inspect, make_url, text

from alembic import command
from ar_targets.models import SCHEMA_REVISION, Base
from ar_targets.scripts import initdb

from ..conftest import INI
from ..throwaway import on_server_of


@pytest.fixture
def empty_url(script, database_url, monkeypatch):
    with on_server_of(database_url) as url:
        monkeypatch.setenv("AR_TARGETS_DATABASE_URL", url)
        yield url


def tables(url):
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_migrates_and_may_be_run_again(script, empty_url):
    for _ in range(2):
        done = script(initdb.main)
        assert (done.code, done.out) == (0, f"the schema is at {SCHEMA_REVISION}\n")
    assert tables(empty_url) == {*Base.metadata.tables, "alembic_version"}


def test_a_later_schema_is_left_alone(script, empty_url):
    """A server that is started anew in the midst of an upgrade, or after one that was undone."""
    script(initdb.main)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    done = script(initdb.main)
    assert (done.code, done.out) == (0, "the schema is at 9999\n")


def test_replicas_at_once(empty_url):
    with ThreadPoolExecutor(4) as threads:
        codes = list(threads.map(lambda _: initdb.main([str(INI)]), range(4)))
    assert codes == [0, 0, 0, 0]
    assert tables(empty_url) == {*Base.metadata.tables, "alembic_version"}


def test_a_long_transaction_stops_nobody_else(script, empty_url):
    """Its statement on a table would wait for it, and all others on that table behind it."""
    script(initdb.main)
    engine = create_engine(empty_url)
    with engine.connect() as reader:
        reader.execute(text("SELECT COUNT(*) FROM target"))
        downgrade(engine, "0005", holder=reader)
        reader.execute(text("SELECT COUNT(*) FROM target"))
        with ThreadPoolExecutor(1) as thread:
            migrating = thread.submit(script, initdb.main)
            longest = max(timed_read(engine) for _ in range(30))
            assert not migrating.done()
            reader.rollback()
            done = migrating.result()
    engine.dispose()
    assert longest < 2 * initdb.TABLE_LOCK_TIMEOUT
    assert (done.code, done.out) == (0, f"the schema is at {SCHEMA_REVISION}\n")
    assert "trying again" in done.err


def downgrade(engine, revision, holder):
    """Go back, while nobody holds a table."""
    holder.rollback()
    config = Config(str(INI))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()


def timed_read(engine):
    """How long a read of a table takes, in seconds."""
    begun = time.monotonic()
    with engine.connect() as connection:
        connection.execute(text("SELECT id FROM target LIMIT 1"))
    time.sleep(0.1)
    return time.monotonic() - begun


def test_gives_up_on_a_database_that_is_not_there(script, monkeypatch):
    monkeypatch.setenv("AR_TARGETS_DATABASE_URL", "mysql+pymysql://x:y@127.0.0.1:1/ar_targets")
    begun = time.monotonic()
    done = script(initdb.main, "--wait", "1")
    assert 1 <= time.monotonic() - begun < 10
    assert (done.code, done.out) == (1, "")
    assert "cannot use the database: (2003" in done.err


def test_does_not_wait_for_what_never_comes(script, database_url, monkeypatch):
    nameless = make_url(database_url).set(database="there_is_no_such_database")
    monkeypatch.setenv("AR_TARGETS_DATABASE_URL", nameless.render_as_string(hide_password=False))
    begun = time.monotonic()
    assert "cannot use the database: (1049" in script(initdb.main).err
    assert time.monotonic() - begun < 10


def test_another_at_work_for_too_long(script, empty_url, monkeypatch):
    engine = create_engine(empty_url)
    with engine.connect() as connection, initdb.migration_lock(connection):
        monkeypatch.setattr(initdb, "LOCK_TIMEOUT", 1)
        done = script(initdb.main)
    engine.dispose()
    assert (done.code, done.out) == (1, "")
    assert "another ar_targets_initdb" in done.err
