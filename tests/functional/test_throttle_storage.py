"""``database://``: failed logins counted by the database, for all that share it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import limits
import pytest
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import func, select, update

from ar_targets.auth.throttle_storage import DatabaseStorage
from ar_targets.models.login_attempt import pack, unpack

from ..actors import PASSWORD
from ..tables import attempt as table

LOGIN = "/api/login"
GOOD = {"login": "olga", "password": PASSWORD}
WRONG = {"login": "olga", "password": "wrong"}
RATE = limits.parse("3 per 1 minute")


@pytest.fixture
def storage(stage):
    return DatabaseStorage("database://", engine=stage.engine)


@pytest.fixture
def limiter(storage):
    return MovingWindowRateLimiter(storage)


def age(stage, seconds):
    """Let all that was counted have been earlier."""
    with stage.engine.begin() as connection:
        for row in connection.execute(select(table)).all():
            moments = b"".join(pack(moment - seconds) for moment in unpack(row.moments))
            same = update(table).where(table.c.id == row.id)
            connection.execute(same.values(moments=moments))


def test_a_clock_that_was_ahead_refuses_nobody_for_long(limiter, stage):
    """Of what was counted then, what is further than a window away is over when that is."""
    for _ in range(3):
        assert limiter.hit(RATE, "a")
    assert not limiter.hit(RATE, "a")
    age(stage, -50)
    assert not limiter.hit(RATE, "a")
    assert 100 < limiter.get_window_stats(RATE, "a").reset_time - time.time() < 111
    age(stage, -3600)
    assert limiter.get_window_stats(RATE, "a").remaining == 3
    for _ in range(3):
        assert limiter.hit(RATE, "a")
    assert not limiter.hit(RATE, "a")
    assert limiter.get_window_stats(RATE, "a").reset_time - time.time() < 61


def test_two_applications_on_one_database_count_together(make_app, owner):
    first, second = (make_app(login_failures="3 per 1 minute") for _ in range(2))
    first.post_json(LOGIN, WRONG, status=401)
    second.post_json(LOGIN, WRONG, status=401)
    first.post_json(LOGIN, WRONG, status=401)
    for app in (second, first):
        refused = app.post_json(LOGIN, GOOD, status=429)
        assert 50 <= int(refused.headers["Retry-After"]) <= 60


def test_a_success_on_one_is_a_success_on_all(make_app, owner):
    first, second = (make_app(login_failures="2 per 1 minute") for _ in range(2))
    first.post_json(LOGIN, WRONG, status=401)
    second.post_json(LOGIN, GOOD, status=200)
    for app in (first, second):
        app.post_json(LOGIN, WRONG, status=401)
    first.post_json(LOGIN, GOOD, status=429)


def test_memory_counts_for_itself(make_app, owner):
    settings = {"login_failures": "1 per 1 minute", "login_failure_storage": "memory://"}
    for app in (make_app(**settings), make_app(**settings)):
        app.post_json(LOGIN, WRONG, status=401)
        app.post_json(LOGIN, GOOD, status=429)


def test_the_window_moves(limiter, stage):
    assert limiter.hit(RATE, "a")
    age(stage, 30)
    assert limiter.hit(RATE, "a")
    assert limiter.hit(RATE, "a")
    assert not limiter.hit(RATE, "a")
    reset, remaining = limiter.get_window_stats(RATE, "a")
    assert 29 < reset - time.time() < 31
    assert remaining == 0
    age(stage, 31)
    assert limiter.get_window_stats(RATE, "a").remaining == 1
    assert limiter.hit(RATE, "a")
    assert not limiter.hit(RATE, "a")


def test_what_was_refused_does_not_count(limiter, stage):
    statuses = [limiter.hit(RATE, "a") for _ in range(6)]
    assert statuses == 3 * [True] + 3 * [False]
    assert [row["refused"] for row in stage.rows(table)] == [3]
    age(stage, 61)
    assert limiter.hit(RATE, "a")
    assert [row["refused"] for row in stage.rows(table)] == [0]


def test_a_row_keeps_no_more_than_the_limit(limiter, stage):
    for _ in range(5):
        assert limiter.hit(RATE, "a")
        age(stage, 61)
    with stage.engine.connect() as connection:
        assert connection.scalar(select(func.length(table.c.moments))) == 3 * 8


def test_keys_are_apart_and_can_be_forgotten(limiter):
    for key in ("a", "b"):
        assert all(limiter.hit(RATE, key) for _ in range(3))
    limiter.clear(RATE, "a")
    assert limiter.get_window_stats(RATE, "a").remaining == 3
    assert limiter.hit(RATE, "a")
    assert not limiter.hit(RATE, "b")


def test_a_new_limit_holds_for_what_was_counted_under_the_old(storage):
    for _ in range(4):
        assert storage.acquire_entry("a", 4, 60)
    assert not storage.acquire_entry("a", 2, 60)
    assert storage.acquire_entry("a", 5, 60)


@pytest.mark.parametrize("known", [True, False])
def test_many_at_once(storage, known):
    if known:
        storage.acquire_entry("other", 1, 60)
        storage.acquire_entry("a", 10, 60)
    ready = threading.Barrier(8)

    def hit(_):
        ready.wait()
        return sum(storage.acquire_entry("a", 10, 60) for _ in range(5))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(hit, range(8))) == 10 - known


def test_logins_at_once_need_one_connection_each(make_app, stage):
    app = make_app(database_pool_size=1, database_timeout=1)
    stage.user("olga")
    for _ in range(2):
        app.post_json(LOGIN, GOOD, status=200)


def test_more_than_our_strategy_needs_is_refused(storage):
    assert storage.check()
    for call in (
        lambda: storage.incr("a", 1),
        lambda: storage.get("a"),
        lambda: storage.get_expiry("a"),
        lambda: storage.acquire_entry("a", 2, 60, amount=2),
        storage.reset,
    ):
        with pytest.raises(NotImplementedError):
            call()
