"""``/metrics``: what is counted, for whom it is shown, and that processes count together."""

import contextlib
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects import mysql

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import backup_result, purge_result, row_count, soft_delete
from ar_targets.models.analysis import Analysis
from ar_targets.models.backlog import BEHIND
from ar_targets.models.noun import Revisioned, Revocable, nouns
from ar_targets.models.project import Project
from ar_targets.models.row_count import Count
from ar_targets.models.target import Target
from ar_targets.version import VERSION
from ar_targets.vision.version import VERSION as VISION

from ..actors import PASSWORD
from ..client import faults
from ..pictures import CHINA, FLOWER, base64_of
from ..tables import project as projects
from .test_server import JSON, PROXY, eventually, needs_proc, running

LIST = "/api/project/{project_id}/imagetarget"


@pytest.fixture
def app(make_app):
    """One that has counted nothing yet."""
    return make_app(login_failures="2 per 1 minute")


def samples(text):
    """The value of each line, by its name and labels."""
    return {
        (sample.name.removeprefix("ar_targets_"), *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(app):
    return samples(app.get("/metrics", status=200).text)


def answered(found, method, route, status):
    """How many requests were answered so."""
    labels = (("method", method), ("route", route), ("status", str(status)))
    return found.get(("request_seconds_count", *labels), 0)


def test_the_version_is_a_label(app):
    assert scrape(app)["build_info", ("version", VERSION)] == 1


def test_requests_by_route_and_status(app, owner, project):
    app.get(project.path, headers=owner.headers)
    app.get(project.path + "/", headers=owner.headers)
    app.get(project.path, status=401)
    app.get("/metrics")
    found = scrape(app)
    assert answered(found, "GET", "/api/project/{project_id}", 200) == 2
    assert answered(found, "GET", "/api/project/{project_id}", 401) == 1
    assert answered(found, "GET", "/metrics", 200) == 1
    labels = (("method", "GET"), ("route", "/api/project/{project_id}"), ("status", "200"))
    assert found["request_seconds_sum", *labels] > 0
    assert found["request_seconds_bucket", ("le", "+Inf"), *labels] == 2
    assert found["statements_total",] >= 2
    assert found["database_seconds_total",] > 0
    assert found["in_flight_requests",] == 1


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_nobody_can_invent_a_label(app):
    for number in range(1, 20):
        app.call(f"M{number}", f"/zoo/{number}", status=404)
        app.call("GET", f"/api/user/{number}?x={number}", status=404)
        app.call(f"M{number}", "/api/user", status=405)
        app.options("/api/user")
    counted = [labels for name, *labels in scrape(app) if name == "request_seconds_count"]
    assert {tuple(value for _, value in labels) for labels in counted} == {
        ("other", "none", "404"),
        ("GET", "/api/user/{user_id}", "404"),
        ("other", "/api/user", "405"),
        ("OPTIONS", "/api/user", "204"),
    }


def test_uploads_and_bytes(app, write_token, project, target):
    image = {"image": base64_of(FLOWER)}
    app.call("POST", project.targets, image, who=write_token, status=201)
    app.call("PUT", target.path, image, who=write_token, status=200)
    app.call("PATCH", target.path, {"description": "x"}, who=write_token, status=200)
    app.call("PUT", target.path, image, who=write_token, status=412, if_match='"old"')
    app.call("POST", project.targets, {"image": "Zm9v"}, who=write_token, status=400)
    app.get(target.image, headers=write_token.headers)
    found = scrape(app)
    assert found["uploads_total",] == 2
    assert found["upload_bytes_total",] == 2 * len(FLOWER)
    assert found["received_bytes_total",] > 3 * len(FLOWER) * 4 / 3
    assert 0 < found["sent_bytes_total",] - len(FLOWER) < 3000


def test_login_failures(app, owner):
    login, wrong = ({"login": "olga", "password": text} for text in (PASSWORD, "wrong"))
    found = scrape(app)
    assert found["login_failures_total", ("reason", "wrong")] == 0
    assert found["login_failures_total", ("reason", "throttled")] == 0
    app.post_json("/api/login", login, status=200)
    for status in (401, 401, 429, 429, 429):
        app.post_json("/api/login", wrong, status=status)
    found = scrape(app)
    assert found["login_failures_total", ("reason", "wrong")] == 2
    assert found["login_failures_total", ("reason", "throttled")] == 3


def test_slow_statements_and_the_pool(make_app, owner):
    app = make_app(slow_query_ms=0, database_pool_size=7)
    app.get("/api/project", headers=owner.headers)
    with app.registry.engine.connect():
        found = scrape(app)
    assert found["slow_statements_total",] == found["statements_total",] == 2
    # Half of them for requests that read, half for those that write.
    assert found["pool_max_connections",] == 7
    # The scrape itself has one as well.
    assert found["pool_used_connections",] in (1, 2)


@pytest.fixture
def rows(stage, owner, project, write_token, target):
    """A user, two projects, three targets and four tokens, and some dead ones of each."""
    other = stage.project(owner, "gone")
    for picture in (FLOWER, CHINA):
        stage.target(project, picture)
    gone = [stage.target(project) for _ in range(2)]
    expired, revoked, both = (stage.app(project) for _ in range(3))
    stage.app(project)
    for token in (expired, both):
        stage.expire(token)
    for token in (revoked, both):
        stage.revoke(token)
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, other.id)
        for one in gone:
            soft_delete.delete(db, Target, one.id)
    return [
        Count("user", 1, 0),
        Count("project", 1, 1),
        Count("target", 3, 2),
        Count("token", 2, 3),
    ]


def test_rows(app, rows):
    found = scrape(app)
    for noun, live, dead in rows:
        assert found["rows", ("noun", noun), ("state", "live")] == live
        assert found["rows", ("noun", noun), ("state", "dead")] == dead
    assert found["database_up",] == 1


def test_who_is_near_a_limit(make_app, rows):
    """Olga owns two projects, one of them deleted, and five targets are in the other."""
    app = make_app(projects_per_user=2, targets_per_project=6, bytes_per_user=10**9)
    near = {name: scrape(app)["near_limit", ("limit", name)] for name in app.registry.limits.most}
    assert near == {"projects": 1, "targets": 1, "bytes": 0}


def test_what_is_left_for_the_workers(app, stage, project):
    states = [
        {"queued_at": clock.now() - timedelta(seconds=90)},
        {},
        {"queued_at": BEHIND},
        {"status": "done"},
        {"status": "done", "version": VISION - 1},
        {"status": "failed", "version": VISION - 1},
        {"status": "failed"},
    ]
    for state in states:
        of = stage.target(project)
        with transaction_scope(stage.engine) as db:
            db.write(
                update(Analysis).where(Analysis.target_id == of.id).values({"tries": 1} | state)
            )
    found = scrape(app)
    pictures = {
        state: found["pictures", ("state", state)] for state in ("waiting", "behind", "failed")
    }
    assert pictures == {"waiting": 2, "behind": 3, "failed": 2}
    assert 90 <= found["picture_lag_seconds",] < 3600
    assert scrape(app)["pictures", ("state", "waiting")] == 2


def test_nothing_is_left_for_the_workers(app, stage):
    found = scrape(app)
    assert (found["pictures", ("state", "waiting")], found["picture_lag_seconds",]) == (0, 0)


def test_many_rows_are_estimated(stage, owner, monkeypatch):
    """Within a factor of two, which is what the optimiser promises."""
    some, many = 300, 3000
    row = {
        "owner_id": owner.id,
        "name": "x",
        "created_at": "2026-01-01",
        "updated_at": "2026-01-01",
    }
    with stage.engine.begin() as connection:
        connection.execute(
            projects.insert(),
            [
                row
                | {
                    "name_key": number.to_bytes(32, "big"),
                    "deleted_at": None if number >= some else "2026-01-01",
                }
                for number in range(many + some)
            ],
        )
        connection.execute(text("ANALYZE TABLE project"))
    with transaction_scope(stage.engine) as db:
        assert row_count.counts(db)[1] == Count("project", many, some)
        monkeypatch.setattr(row_count, "FEW", many)
        _, live, dead = row_count.counts(db)[1]
        assert (many / 2 < live < many * 2, dead) == (True, some)
        monkeypatch.setattr(row_count, "FEW", some)
        _, live, dead = row_count.counts(db)[1]
        assert (many / 2 < live < many * 2, some <= dead < some * 2) == (True, True)


def test_no_more_than_a_few_rows_are_read(stage, project, target):
    """However many there are: the statement bounds itself."""
    written = str(row_count.count_statement().compile(dialect=mysql.dialect()))
    # Live, dead, and twice the revoked ones: their number, and that of those not expired yet.
    counted = 2 * len(nouns(Revisioned)) + 2 * len(nouns(Revocable))
    assert written.count(f"LIMIT {row_count.FEW}") == counted
    assert written.count("FORCE INDEX") == counted


def test_purges(app, stage):
    with transaction_scope(stage.engine) as db:
        purge_result.add(db, {"expired tokens": 5, "revoked tokens": 0}, None)
    found = scrape(app)
    assert found["purge_removed_rows_total", ("kind", "expired tokens")] == 5
    assert ("purge_finished_timestamp_seconds", ("kind", "expired tokens")) not in found
    with transaction_scope(stage.engine) as db:
        moment = db.read(select(func.utc_timestamp()))[0][0]
        purge_result.add(db, {"expired tokens": 2}, moment)
        purge_result.add(db, {"expired tokens": 3}, None)
    found = scrape(app)
    assert found["purge_removed_rows_total", ("kind", "expired tokens")] == 10
    seconds = (moment - type(moment)(1970, 1, 1)).total_seconds()
    assert found["purge_finished_timestamp_seconds", ("kind", "expired tokens")] == seconds


def test_backups(app, stage):
    assert not [name for name, *_ in scrape(app) if name.startswith("backup_")]
    moment = clock.now()
    with transaction_scope(stage.engine) as db:
        backup_result.store(db, "success", moment - timedelta(days=1), 5.5, 10**9)
        backup_result.store(db, "success", moment, 7.5, 10**10)
        backup_result.store(db, "failure", moment + timedelta(seconds=1), 0.5)
    found = scrape(app)
    seconds = moment.replace(tzinfo=UTC).timestamp()
    assert found["backup_finished_timestamp_seconds", ("outcome", "success")] == seconds
    assert found["backup_finished_timestamp_seconds", ("outcome", "failure")] == seconds + 1
    assert found["backup_seconds", ("outcome", "success")] == 7.5
    assert found["backup_seconds", ("outcome", "failure")] == 0.5
    assert found["backup_bytes",] == 10**10


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "127.9.9.9"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "192.0.2.1"}, 403),
        ({"REMOTE_ADDR": "::2"}, 403),
        ({"REMOTE_ADDR": "localhost"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_HOST": ""}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_VIA": "1.1 proxy"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "ar_targets.peer": "192.0.2.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "ar_targets.peer": ""}, 403),
    ],
)
def test_only_for_networks_of_the_settings(app, environ, status):
    answer = app.get("/metrics", extra_environ=environ, status=status)
    assert status == 200 or "request_seconds" not in answer
    assert status == 200 or faults(answer) == {"": "path"}


def test_other_networks(make_app):
    app = make_app(metrics_networks="192.0.2.0/24 2001:db8::/32")
    for address, status in [("192.0.2.7", 200), ("2001:db8::7", 200), ("127.0.0.1", 403)]:
        app.get("/metrics", extra_environ={"REMOTE_ADDR": address}, status=status)
    make_app(metrics_networks="none").get("/metrics", status=403)


def test_the_format(app):
    answer = app.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.endswith("\n")
    assert "_created" not in answer
    assert app.get("/metrics/").status_int == 200
    app.call("POST", "/metrics", status=405)


def scrape_server(server):
    status, _, body = server.ask("GET", "/metrics")
    assert status == 200
    return samples(body.decode())


def test_head(database_url, tmp_path):
    with running(database_url, tmp_path) as server:
        status, headers, body = server.ask("HEAD", "/metrics")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0
    assert "Transfer-Encoding" not in headers


@needs_proc
def test_workers_count_together_and_a_new_one_counts_on(database_url, tmp_path):
    route = "/api/user"
    with running(database_url, tmp_path, workers=2) as server:
        eventually(lambda: len(server.children) == 2)

        def ask(number):
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda _: server.ask("GET", route), range(number)))

        ask(100)
        eventually(lambda: answered(scrape_server(server), "GET", route, 200) == 100)
        eventually(lambda: scrape_server(server)["statements_total",] >= 100)
        victim = min(server.children)
        os.kill(victim, signal.SIGKILL)
        # Connections that the kernel had given to it are reset until it is gone.
        eventually(lambda: victim not in server.children and len(server.children) == 2)

        def counted_still():
            # A connection may be refused for a moment after that, too.
            with contextlib.suppress(ConnectionError):
                return answered(scrape_server(server), "GET", route, 200) == 100
            return False

        eventually(counted_still)
        ask(100)
        eventually(lambda: answered(scrape_server(server), "GET", route, 200) == 200)
        found = scrape_server(server)
        # What the dead one had is not counted any more.
        eventually(lambda: scrape_server(server)["pool_max_connections",] == 2 * 16)
        assert found["in_flight_requests",] == 1


@pytest.mark.parametrize("environ", [{}, PROXY])
def test_a_proxy_is_never_believed(database_url, tmp_path, environ):
    """Not even the one that is named: what it says may be its client's words."""
    with running(database_url, tmp_path, environ=environ) as server:
        assert server.ask("GET", "/metrics")[0] == 200
        for header in ("X-Forwarded-For", "Forwarded", "X-Forwarded-Proto", "Via"):
            said = {"Forwarded": "for=127.0.0.1", "X-Forwarded-Proto": "https"}
            headers = {header: said.get(header, "127.0.0.1")}
            status, _, body = server.ask("GET", "/metrics", **headers)
            assert status == 403, headers
            assert "metrics_networks" in json.loads(body)["errors"][0]["description"]
        assert server.ask("POST", "/metrics", "{}", **JSON)[0] == 405
