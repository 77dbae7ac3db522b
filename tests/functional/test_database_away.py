"""A database that goes away and comes back, on a server of its own that the tests may stop."""

import gc
import logging
import shutil
import tempfile
from pathlib import Path

import argon2
import pymysql
import pytest
from sqlalchemy import event, update

from ar_targets.auth import passwords
from ar_targets.db import engine
from ar_targets.development.database import PrivateDatabase

from ..actors import PASSWORD, Stage
from ..client import at_once
from ..conftest import build, migrate, remove_rows, sweeper_of, with_driver
from ..panel import Panel
from ..soak.proxy import Proxy
from ..tables import user

# PyMySQL leaves the closing of a socket on which nobody listened to Python.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")


class Server:
    """A database server under one URL, however often it is started."""

    def __init__(self, directory):
        self.private = PrivateDatabase(directory / "database", durable=False)
        self.link = directory / "sock"
        self.url = with_driver(f"mysql+pymysql://root@localhost/away?unix_socket={self.link}")

    def start(self):
        self.private.start()
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.private.socket)

    def stop(self):
        self.private.stop()


@pytest.fixture(scope="module")
def machine():
    directory = Path(tempfile.mkdtemp(prefix="ar-"))
    server = Server(directory)
    server.start()
    server.private.create_database("away")
    migrate(server.url)
    yield server
    server.stop()
    shutil.rmtree(directory)


@pytest.fixture
def server(machine, caplog):
    """The server, running at first."""
    machine.stop()
    machine.start()
    yield machine
    # Errors in log records hold on to such sockets.
    for phase in ("setup", "call"):
        caplog.get_records(phase).clear()
    gc.collect()


@pytest.fixture
def app(server):
    client = build(server.url, database_timeout=2)
    yield client
    client.registry.engine.dispose()


@pytest.fixture
def stage(app):
    return Stage(app.registry)


@pytest.fixture
def owner(machine, stage):
    sweeper = sweeper_of(machine.url)
    remove_rows(sweeper)
    sweeper.dispose()
    return stage.user("olga")


def kill(server, *threads):
    with pymysql.connect(unix_socket=server.private.socket, user="root") as connection:
        for thread in threads:
            connection.cursor().execute(f"KILL {thread}")


def test_503_while_it_is_away_and_the_first_request_after_that_succeeds(app, server, stage, owner):
    project = stage.project(owner, "Zoo")
    write_token = stage.app(project)
    target = stage.target(project)
    login = {"login": "olga", "password": PASSWORD}
    calls = [
        ("GET", "/api/user", None, None),
        ("POST", "/api/user", None, login),
        ("POST", "/api/login", None, login),
        ("GET", "/api/project", owner, None),
        ("HEAD", project.path, owner, None),
        ("PATCH", project.path, owner, {"name": "x"}),
        ("DELETE", project.path, owner, None),
        ("POST", project.tokens, owner, {}),
        ("GET", target.path, write_token, None),
        ("GET", target.image, write_token, None),
        ("GET", "/health/ready", None, None),
    ]
    app.get("/health/ready", status=200)
    server.stop()
    for method, path, who, body in calls:
        answer = app.call(method, path, body, who=who, status=503)
        assert int(answer.headers["Retry-After"]) > 0
        assert str(server.link) not in answer
    app.get("/health/live", status=200)
    away = app.get("/metrics", status=200)
    assert "ar_targets_database_up 0.0" in away
    assert (
        'ar_targets_request_seconds_count{method="POST",route="/api/login",status="503"} 1' in away
    )
    assert "ar_targets_rows" not in away
    app.get("/api/zoo", status=404)
    app.delete("/api/project", status=405)
    app.options("/api/project", status=204)
    app.get("/api/project", status=401)
    server.start()
    answer = app.get(project.path, headers=owner.headers, status=200)
    assert answer.json["name"] == "Zoo"
    app.get("/health/ready", status=200)


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_restart_that_no_request_saw(app, server, stage, owner, method, caplog):
    project = stage.project(owner, "Zoo")
    app.get(project.path, headers=owner.headers)
    server.stop()
    server.start()
    body = {"name": "Park"} if method == "PATCH" else None
    caplog.set_level(logging.INFO, logger="ar_targets.access")
    answer = app.call(method, project.path, body, who=owner, status=200)
    assert answer.json["name"] == ("Park" if body else "Zoo")
    # However often it was tried, it is one request, after the one above.
    _, line = (record.getMessage() for record in caplog.records if record.name.endswith("access"))
    assert "status=200" in line
    assert "attempts=2" in line


def test_a_create_after_a_restart_is_done_once(app, server, owner):
    app.get("/api/project", headers=owner.headers)
    server.stop()
    server.start()
    app.post_json("/api/project", {"name": "Zoo"}, headers=owner.headers, status=201)
    assert len(app.get("/api/project", headers=owner.headers).json["items"]) == 1


def test_the_application_starts_before_its_database(server, caplog):
    server.stop()
    early = build(server.url, database_timeout=2)
    try:
        assert "cannot be reached yet" in caplog.text
        early.get("/api/user", status=503)
        early.get("/health/live", status=200)
        server.start()
        early.get("/api/user", status=200)
        early.get("/health/ready", status=200)
    finally:
        early.registry.engine.dispose()


@pytest.mark.parametrize(("comes_back", "status"), [(True, 200), (False, 503)])
def test_a_connection_that_dies_before_a_transaction(
    app, server, stage, owner, monkeypatch, comes_back, status
):
    """A login with an old hash reads, works on the password, and only then begins to write."""
    hashing, hashed = passwords.hash_password, []

    def hash_meanwhile(password):
        if not hashed:
            server.stop()
            if comes_back:
                server.start()
        hashed.append(hashing(password))
        return hashed[-1]

    weaker = argon2.PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)
    with stage.engine.begin() as connection:
        connection.execute(update(user).values(password_hash=weaker.hash(PASSWORD)))
    app.get("/api/project", headers=owner.headers)
    monkeypatch.setattr(passwords, "hash_password", hash_meanwhile)
    app.post_json("/api/login", {"login": "olga", "password": PASSWORD}, status=status)


@pytest.mark.parametrize("done", [True, False])
def test_a_connection_that_dies_while_committing(app, server, stage, owner, done):
    """Nobody knows whether it was done, so it is not done again: the client has to look."""
    threads = []

    def die(connection):
        threads.append(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar())
        if done:
            connection.exec_driver_sql("COMMIT")
        kill(server, threads[-1])

    event.listen(app.registry.engine, "commit", die)
    app.post_json("/api/project", {"name": "Zoo"}, headers=owner.headers, status=503)
    event.remove(app.registry.engine, "commit", die)
    assert len(threads) == 1
    items = app.get("/api/project", headers=owner.headers, status=200).json["items"]
    assert [item["name"] for item in items] == (["Zoo"] if done else [])


def test_a_database_that_says_nothing_any_more(server, stage, owner, monkeypatch):
    """As behind a network that loses everything; the answers come in the end, and are 503."""
    monkeypatch.setattr(engine, "LOCK_WAIT_SECONDS", 1)
    project = stage.project(owner, "Zoo")
    with Proxy(lambda: server.private.socket) as proxy:
        url = with_driver(f"mysql+pymysql://root@127.0.0.1:{proxy.port}/away")
        app = build(url, database_timeout=1)
        app.get(project.path, headers=owner.headers)
        with proxy.frozen():
            for method, body in [("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)]:
                app.call(method, project.path, body, who=owner, status=503)
            app.get("/health/ready", status=503)
            app.get("/health/live")
        answer = app.get(project.path, headers=owner.headers)
        assert answer.json["name"] == "Zoo"
        app.registry.engine.dispose()


def test_a_dead_connection_ends_its_pool(app, server, owner):
    """The others in the pool are as old, and made anew: nobody has to find out one by one."""
    calls = [lambda own: own.get("/api/project", headers=owner.headers)] * 8
    at_once(app, calls)
    engine = app.registry.read_engine
    with engine.connect() as connection:
        connected = connection.exec_driver_sql(
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
        )
        threads = connected.scalars().all()
    kill(server, *threads)
    at_once(app, calls)
    with engine.connect() as connection:
        now = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
    assert now not in threads


def test_the_admin_panel_says_so(server, app, stage):
    stage.user("ada", is_admin=True)
    panel = Panel(app.app)
    panel.log_in()
    token = panel.csrf()
    server.stop()
    for response in (
        panel.get("/admin/user/", status=503),
        panel.get("/admin/login/", status=503),
        panel.post("/admin/user/new/", {"csrf_token": token}, status=503),
        panel.get("/admin/user/", headers={"Accept": "application/json"}, status=503),
    ):
        assert response.headers["Retry-After"]
        assert "the database cannot answer now" in response
    server.start()
    panel.get("/admin/user/", status=200)
