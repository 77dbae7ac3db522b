"""Connections to the database: who keeps one, and who must not."""

import pytest

from ar_targets import line

from ..unit.test_fibre import Loop


@pytest.fixture
def engine(make_app):
    """One that nobody else uses."""
    made = make_app().registry.engine
    yield made
    made.dispose()


@pytest.fixture
def in_fibre():
    """Runs something in a fibre to its end; returns what it returns."""
    loop = Loop()

    def run(work):
        results = loop.begin(work)
        loop.run(lambda: results)
        return results[0]

    yield run
    loop.threads.shutdown()


def used_by_one(engine, between=lambda _: None):
    """The driver's connections of two requests, one after the other."""
    first = line.take(engine)
    driver = first.driver
    between(first)
    line.give_back(first)
    assert line.used(engine.pool) == 0
    second = line.take(engine)
    try:
        assert line.used(engine.pool) == 1
        with second.driver.cursor() as cursor:
            cursor.execute("SELECT 1")
        return driver, second.driver
    finally:
        line.give_back(second)


def test_a_fibre_keeps_its_own(engine, in_fibre):
    first, second = in_fibre(lambda: used_by_one(engine))
    assert first is second
    assert engine.pool.checkedout() == 1


def test_a_thread_gives_it_back(engine):
    used_by_one(engine)
    assert engine.pool.checkedout() == 0


def test_after_a_while_the_pool_gets_it_back(engine, in_fibre, monkeypatch):
    monkeypatch.setattr(line, "KEPT_SECONDS", -1)
    asked = []
    monkeypatch.setattr(engine.pool, "_do_return_conn", returned(engine.pool, asked))
    in_fibre(lambda: used_by_one(engine))
    assert len(asked) == 1


def returned(pool, noted):
    """Its method, which is noted when it is called."""
    give_back = pool._do_return_conn
    return lambda record: (noted.append(record), give_back(record))


def test_of_a_pool_that_is_gone_none_is_kept(engine, in_fibre):
    first, second = in_fibre(lambda: used_by_one(engine, lambda _: engine.dispose()))
    assert first is not second


def test_none_that_is_dead_is_kept(engine, in_fibre):
    first, second = in_fibre(lambda: used_by_one(engine, lambda mine: mine.connection.invalidate()))
    assert first is not second
    assert not first.open


@pytest.mark.parametrize("begin", ["driver", "connection"])
def test_what_is_open_is_rolled_back(engine, in_fibre, stage, owner, begin):
    rename = f"UPDATE user SET login = 'other' WHERE id = {owner.id}"

    def leave_open(mine):
        if begin == "connection":
            mine.connection.exec_driver_sql(rename)
        else:
            with mine.driver.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(rename)

    in_fibre(lambda: used_by_one(engine, leave_open))
    with stage.engine.connect() as other:
        other.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        logins = other.exec_driver_sql("SELECT login FROM user").scalars().all()
    assert "other" not in logins


def test_a_fibre_keeps_one_of_two(engine, in_fibre):
    def both():
        first, second = line.take(engine), line.take(engine)
        assert first.driver is not second.driver
        line.give_back(first)
        line.give_back(second)
        third = line.take(engine)
        line.give_back(third)
        return third is first

    assert in_fibre(both)
    assert (engine.pool.checkedout(), line.used(engine.pool)) == (1, 0)
