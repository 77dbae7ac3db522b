"""Requests that come at once: names, late writers, locks, deadlocks, and too few connections."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyramid_retry import IBeforeRetry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from ar_targets import clock
from ar_targets.db import engine
from ar_targets.db.base import fold
from ar_targets.db.engine import DEADLOCK, LOCK_WAIT_TIMEOUT, error_number
from ar_targets.db.session import transaction_scope
from ar_targets.images import jpeg
from ar_targets.models import project as project_model
from ar_targets.models import soft_delete, target, token
from ar_targets.models.project import Project
from ar_targets.models.user import User

from ..client import Client, at_once
from ..pictures import CHINA
from ..tables import project as project_table
from ..tables import target as target_table
from ..tables import token as token_table
from ..tables import user as user_table


@pytest.fixture
def in_background():
    """Starts calls in a thread, each of which is a future response."""
    with ThreadPoolExecutor() as threads:
        yield lambda app, call: threads.submit(call, Client(app.app))


def retries_of(app):
    """The numbers of the database's errors for which an application runs a request again."""
    seen = []
    app.registry.registerHandler(
        lambda event: seen.append(error_number(event.exception.orig)), [IBeforeRetry]
    )
    return seen


def lock(connection, table, row_id, **options):
    """Lock a row until the connection's transaction ends."""
    row = select(table.c.id).where(table.c.id == row_id)
    connection.execute(row.with_for_update(**options)).all()


def is_locked(engine, table, row_id):
    with engine.connect() as connection:
        try:
            lock(connection, table, row_id, nowait=True)
        except OperationalError:
            return True
    return False


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_of_many_gets_a_project_name(app, stage, owner, stranger):
    def create(user):
        return lambda own: own.post_json(
            "/api/project", {"name": "Zoo"}, headers=user.headers, status="*"
        )

    calls = [create(user) for user in (owner, stranger) for _ in range(10)]
    assert at_once(app, calls) == [201] + 19 * [409]
    assert len(stage.rows(project_table)) == 1


def test_one_of_many_gets_a_login(app, stage):
    body = {"login": "nora", "password": "eight ch"}
    calls = 20 * [lambda own: own.post_json("/api/user", body, status="*")]
    assert at_once(app, calls) == [201] + 19 * [409]
    assert len(stage.rows(user_table)) == 1


def test_one_of_many_projects_gets_a_new_name(app, stage, owner):
    def rename(project):
        return lambda own: own.patch_json(
            project.path, {"name": "Zoo"}, headers=owner.headers, status="*"
        )

    calls = [rename(stage.project(owner, f"p{n}")) for n in range(10)]
    assert at_once(app, calls) == [200] + 9 * [409]


def test_one_of_many_writers_comes_in_time(app, owner, project):
    tag = app.get(project.path, headers=owner.headers).headers["ETag"]
    headers = owner.headers | {"If-Match": tag}

    def rename(n):
        return lambda own: own.patch_json(
            project.path, {"name": f"p{n}"}, headers=headers, status="*"
        )

    assert at_once(app, [rename(n) for n in range(10)]) == [200] + 9 * [412]


def test_one_of_many_deletes_a_project(app, owner, project):
    calls = 10 * [lambda own: own.delete(project.path, headers=owner.headers, status="*")]
    assert at_once(app, calls) == [204] + 9 * [404]


def test_many_revoke_a_token(app, owner, write_token):
    calls = 10 * [lambda own: own.delete(write_token.path, headers=owner.headers, status="*")]
    assert at_once(app, calls) == 10 * [204]


def test_a_project_created_while_its_owner_is_deleted(app, stage, owner, stranger, in_background):
    def create(own):
        return own.post_json("/api/project", {"name": "Zoo"}, headers=owner.headers, status="*")

    with transaction_scope(stage.engine) as deletion:
        soft_delete.delete(deletion, User, owner.id)
        answer = in_background(app, create)
        time.sleep(0.3)
        assert not answer.done()
    assert answer.result().status_int == 401
    assert stage.rows(project_table) == []
    app.post_json("/api/project", {"name": "Zoo"}, headers=stranger.headers, status=201)


def test_projects_created_around_the_deletion_of_their_owner(app, stage, owner):
    def create(n):
        return lambda own: own.post_json(
            "/api/project", {"name": f"p{n}"}, headers=owner.headers, status="*"
        )

    calls = [create(n) for n in range(15)]
    calls.insert(7, lambda own: own.delete(owner.path, status="*"))
    statuses = at_once(app, calls)
    assert 204 in statuses
    assert set(statuses) <= {201, 204, 401}
    rows = stage.rows(project_table)
    assert len(rows) == statuses.count(201)
    assert all(row["deleted_at"] is not None for row in rows)


def test_a_deadlock_is_retried_unseen(make_app, stage, owner, project, in_background):
    """Deleting a user locks the user's row, then the projects'; here somebody goes the other way.

    Of two that block each other the database stops the one that has written less.
    """
    app = make_app()
    seen = retries_of(app)
    with stage.engine.connect() as other:
        write_a_lot(other)
        lock(other, project_table, project.id)
        answer = in_background(app, lambda own: own.delete(owner.path, status="*"))
        wait_for(lambda: is_locked(stage.engine, user_table, owner.id))
        lock(other, user_table, owner.id)
        other.rollback()
        assert answer.result().status_int == 204
    assert seen == [DEADLOCK]
    assert [row["deleted_at"] is not None for row in stage.rows(project_table)] == [True]


def write_a_lot(connection):
    now = clock.now()
    rows = [
        {
            "login": f"u{n}",
            "login_key": fold(f"u{n}"),
            "password_hash": "-",
            "created_at": now,
            "updated_at": now,
        }
        for n in range(300)
    ]
    connection.execute(user_table.insert(), rows)


@pytest.fixture
def impatient(make_app, monkeypatch):
    """An application that waits no more than a second for a lock."""
    monkeypatch.setattr(engine, "LOCK_WAIT_SECONDS", 1)
    return make_app()


def test_a_lock_that_is_not_got_in_time_is_asked_for_again(
    impatient, stage, owner, project, in_background
):
    seen = retries_of(impatient)

    def rename(own):
        return own.patch_json(project.path, {"name": "Park"}, headers=owner.headers, status="*")

    with stage.engine.connect() as other:
        lock(other, project_table, project.id)
        answer = in_background(impatient, rename)
        wait_for(lambda: seen)
        other.rollback()
        assert answer.result().status_int == 200
    assert seen == [LOCK_WAIT_TIMEOUT]
    assert [row["name"] for row in stage.rows(project_table)] == ["Park"]


def test_a_lock_that_is_never_got_is_503_in_the_end(impatient, stage, owner, project):
    with stage.engine.connect() as other:
        lock(other, project_table, project.id)
        impatient.patch_json(project.path, {"name": "Park"}, headers=owner.headers, status=503)
        impatient.get(project.path, headers=owner.headers)
    assert [row["name"] for row in stage.rows(project_table)] == ["Zoo"]


def test_more_requests_than_connections(make_app, stage, owner):
    app = make_app(database_pool_size=1, database_timeout=1)
    with app.registry.read_engine.connect():
        app.get("/api/project", headers=owner.headers, status=503)
        app.get("/health/live")
    app.get("/api/project", headers=owner.headers, status=200)


def test_connections_that_the_server_closed(app, stage, owner, project):
    """As it does after hours of idleness: the first request to notice is none the worse."""
    calls = 8 * [lambda own: own.get("/api/project", headers=owner.headers)]
    assert at_once(app, calls) == 8 * [200]
    with stage.engine.connect() as connection:
        own = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
        threads = connection.exec_driver_sql(
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
        ).scalars()
        for thread in [thread for thread in threads if thread != own]:
            connection.exec_driver_sql(f"KILL {thread}")
        connection.invalidate()
    answer = app.patch_json(project.path, {"name": "Park"}, headers=owner.headers)
    assert answer.json["name"] == "Park"
    assert at_once(app, calls) == 8 * [200]
    # Those that no request has met are left to no other test.
    app.registry.engine.dispose()


def test_nothing_is_created_in_what_is_deleted_meanwhile(stage, owner, project):
    proven = jpeg.prove(CHINA, 10**6)
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, project.id)
        assert target.create(db, project.id, {"image": proven}) is None
        assert token.create(db, project.id, 60, "read", "") is None
        soft_delete.delete(db, User, owner.id)
        assert project_model.create(db, owner.id, "new") is None
    assert stage.rows(target_table) == []
    assert stage.rows(token_table) == []
