"""One log line for each request, with what an operator asks for, and nothing secret."""

import base64
import io
import json
import logging
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from ar_targets.models import user as users
from ar_targets.telemetry.access_log import plain
from ar_targets.telemetry.logs import JsonFormatter, PlainFormatter

from ..actors import PASSWORD
from ..conftest import INI, KEY
from ..pictures import CHINA, base64_of
from .test_server import running

PRODUCTION = INI.parent / "production.ini"
JSON = {"Content-Type": "application/json"}
IMAGE_ROUTE = "/api/project/{project_id}/imagetarget/{target_id}/image"


class Lines:
    """What is logged in this process, as an ini file with this formatter has it."""

    def __init__(self, formatter):
        self.handler = logging.StreamHandler(io.StringIO())
        self.handler.setFormatter(formatter)

    @property
    def text(self):
        return self.handler.stream.getvalue()

    def all(self, message="request"):
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["message"] == message]

    def only(self, message="request"):
        (line,) = self.all(message)
        return line


def listening(formatter):
    lines, log = Lines(formatter), logging.getLogger("ar_targets")
    level = log.level
    log.addHandler(lines.handler)
    log.setLevel(logging.DEBUG)
    yield lines
    log.removeHandler(lines.handler)
    log.setLevel(level)


@pytest.fixture
def lines():
    yield from listening(JsonFormatter())


@pytest.fixture
def plain_lines():
    yield from listening(PlainFormatter("%(levelname)s [%(request_id)s] %(message)s %(msecs)03d"))


def test_a_line_says_who_did_what_and_what_it_took(app, project, write_token, target, lines):
    answer = app.get(target.image, headers=write_token.headers | {"X-Request-ID": "mine"})
    line = lines.only()
    assert line.pop("time").endswith("Z")
    assert line.pop("process") > 0
    assert 0 < line.pop("database_ms") < line.pop("ms")
    assert line == {
        "level": "INFO",
        "logger": "ar_targets.access",
        "request_id": "mine",
        "message": "request",
        "method": "GET",
        "route": IMAGE_ROUTE,
        "project_id": str(project.id),
        "target_id": str(target.id),
        "status": 200,
        "address": "127.0.0.1",
        "caller": f"token:{write_token.id}",
        "received": 0,
        "sent": len(answer.body),
        "statements": 1,
        "attempts": 1,
    }


def test_what_is_received_and_who_has_logged_in(app, owner, lines):
    body = json.dumps({"name": "Zoo"})
    app.post("/api/project", body, headers=owner.headers | JSON, status=201)
    line = lines.only()
    assert line["received"] == len(body)
    assert line["caller"] == f"user:{owner.id}"
    # The caller, the number of its projects, the project below its row, and the audit entry.
    assert line["statements"] == 4


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/zoo/hunter22", "none", 404),
        ("GET", "/api/%ff", "none", 404),
        ("GET", "/api/user\n", "none", 404),
        ("GET", "/api/user/0", "none", 404),
        ("GET", "/api/user/7/", "/api/user/{user_id}", 404),
        ("DELETE", "/api/user", "/api/user", 405),
        ("OPTIONS", "/api/user", "/api/user", 204),
        ("HEAD", "/health/live", "/health/live", 200),
        ("GET", "/api/project", "/api/project", 401),
        ("HUNTER22", "/api/project", "/api/project", 405),
    ],
)
def test_routes_and_methods_are_ours_not_what_was_sent(app, lines, method, path, route, status):
    app.call(method, path, status=status)
    line = lines.only()
    assert (line["route"], line["status"], line["sent"] > 0) == (
        route,
        status,
        method not in ("HEAD", "OPTIONS"),
    )
    assert line["caller"] is None
    assert line["method"] == (method if method != "HUNTER22" else "other")
    assert "hunter22" not in lines.text.lower()


def test_not_modified_sends_nothing(app, write_token, target, lines):
    etag = app.get(target.image, headers=write_token.headers).headers["ETag"]
    app.get(target.image, headers=write_token.headers | {"If-None-Match": etag}, status=304)
    assert [(line["status"], line["sent"] > 0) for line in lines.all()] == [
        (200, True),
        (304, False),
    ]


def test_what_failed_by_our_fault_is_a_warning(app, monkeypatch, lines):
    def bug(*_):
        raise RuntimeError("a\ud800bug")

    monkeypatch.setattr(users, "page", bug)
    answer = app.get("/api/user", status=500)
    request, error = lines.only(), lines.only("unexpected error")
    assert (request["level"], error["level"]) == ("WARNING", "ERROR")
    assert "RuntimeError: a\ud800bug" in error["exception"]
    assert request["request_id"] == error["request_id"] == answer.headers["X-Request-ID"]


def test_slow_statements_are_logged_without_their_values(make_app, owner, lines):
    body = {"name": "hunter22"}
    make_app(slow_query_ms=0).post_json("/api/project", body, headers=owner.headers, status=201)
    slow = lines.all("slow statement")
    verbs = ["SELECT", "SELECT", "INSERT", "INSERT", "COMMIT"]
    assert [line["statement"].split()[0] for line in slow] == verbs
    assert {line["request_id"] for line in slow} == {lines.only()["request_id"]}
    assert lines.only()["statements"] == 4
    assert all(line["ms"] > 0 and line["level"] == "WARNING" for line in slow)
    assert "hunter22" not in lines.text


def test_statements_are_not_slow_by_default(app, owner, lines):
    app.get("/api/project", headers=owner.headers)
    assert lines.all("slow statement") == []


def test_lines_for_people(app, owner, plain_lines):
    app.get("/api/project", headers=owner.headers | {"X-Request-ID": "mine"})
    line = plain_lines.text
    assert re.fullmatch(
        rf"INFO \[mine\] GET /api/project 200 [0-9.]+ ms user:{owner.id} [0-9]+\n", line
    ), line
    assert line.count("\n") == 1


def test_patterns_lose_their_regular_expressions():
    pattern = "/api/{project_id:[1-9][0-9]{0,18}}/x/{name}/{other:a{2}b{3}}"
    assert plain(pattern) == "/api/{project_id}/x/{name}/{other}"


def test_a_whole_session_leaves_no_secret_and_no_torn_line(
    database_url, tmp_path, rows_removed, capfd
):
    """As it is run: several processes, the ini file for production, and every statement slow."""
    secrets = {PASSWORD, "wrong horse", "new horse 22", KEY, "Authorization", "Bearer", "$argon2"}
    secrets |= {base64_of(CHINA)[:40], base64_of(CHINA)[-40:], "eyJ"}
    sent = Counter()
    environ = {
        "AR_TARGETS_SLOW_QUERY_MS": "0",
        "AR_TARGETS_IMAGE_MAX_BYTES": "1000000",
        "AR_TARGETS_LOGIN_FAILURES": "100 per 1 minute",
    }
    with running(database_url, tmp_path, workers=2, environ=environ) as server:

        def ask(method, path, body=None, token=None, status=200, **headers):
            if isinstance(body, dict):
                body = json.dumps(body)
            who = {"Authorization": f"Bearer {token}"} if token else {}
            got, _, answer = server.ask(method, path, body, **JSON, **who, **headers)
            assert got == status, answer
            sent[status] += 1
            return json.loads(answer) if answer.startswith(b"{") else answer

        def remember(token):
            secrets.add(token.rpartition(".")[2])
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            if "jti" in claims:
                secrets.add(claims["jti"])
            return token

        login = {"login": "olga", "password": PASSWORD}
        user = ask("POST", "/api/user", login, status=201)["id"]
        ask("POST", "/api/user", login, status=409)
        ask("POST", "/api/login", login | {"password": "wrong horse"}, status=401)
        ask("POST", "/api/login", login | {"pasword": "wrong horse"}, status=400)
        ask("POST", "/api/login", f'{{"password": "{PASSWORD}', status=400)
        token = remember(ask("POST", "/api/login", login)["token"])
        project = ask("POST", "/api/project", {"name": "Zoo"}, token, 201)["id"]
        path = f"/api/project/{project}"
        app = remember(ask("POST", f"{path}/jwt", {}, token, 201)["token"])
        image = {"image": base64_of(CHINA)}
        target = f"{path}/imagetarget/" + str(
            ask("POST", f"{path}/imagetarget", image, app, 201)["id"]
        )
        ask("POST", f"{path}/imagetarget", {"image": base64_of(CHINA)[:-800]}, app, 400)
        ask("POST", f"{path}/imagetarget", {"imge": base64_of(CHINA)}, app, 400)
        ask("GET", target, token=app)
        ask("GET", f"{target}/image?token={app}", token=app)
        ask("GET", target, token=token, status=403)
        ask("GET", target, token=app[:-1], status=401)
        ask("GET", f"/api/{token}", token=token, status=404)
        ask("GET", f"{path}/jwt", token=token)
        ask("POST", "/api/login", b" " * 3_000_000, status=413)
        text = ""
        # Which process takes a connection is the system's choice.
        while len(set(re.findall(r'"process":(\d+),"request_id":"[^-]', text))) < 2:
            with ThreadPoolExecutor(16) as threads:
                list(threads.map(lambda _: ask("GET", target, token=app), range(200)))
            text += capfd.readouterr().err
        ask("PATCH", f"/api/user/{user}", {"password": "new horse 22"}, token)
        ask("GET", "/api/project", token=token, status=401)

    text += capfd.readouterr().err
    for secret in secrets:
        assert secret not in text
    lines = [json.loads(line) for line in text.splitlines() if not line.startswith("Starting")]
    requests = Counter(
        line["status"]
        for line in lines
        if line["message"] == "request" and line["route"] != "/health/live"
    )
    assert requests == sent
    assert {line["message"] for line in lines} >= {"slow statement"}
