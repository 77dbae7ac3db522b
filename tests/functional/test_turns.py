"""Requests that take turns in one thread: one that waits for the database holds up no other."""

import base64
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import make_url

from ar_targets.models.project import project as project_table
from ar_targets.server.lanes import HASHING_THREADS

from ..pictures import CHINA
from ..soak.proxy import Proxy
from .test_concurrency import is_locked, lock
from .test_server import JSON, eventually, running

# Of development.ini, which the server under test has.
THREADS = 8


@contextmanager
def serving(database_url, directory, fibres, **environ):
    """A server of one process that answers so many requests in turns."""
    size = {"AR_TARGETS_DATABASE_POOL_SIZE": str(THREADS + HASHING_THREADS + fibres)}
    limit = {"AR_TARGETS_IMAGE_MAX_BYTES": "1000000"}
    with running(database_url, directory, environ=size | limit | environ) as server:
        yield server


def call(server, who, method, path, body=None):
    text = None if body is None else json.dumps(body)
    status, _, answer = server.ask(method, path, text, **who.headers, **JSON)
    return status, json.loads(answer) if answer else None


def seconds(work, *arguments):
    """How long a call takes that succeeds."""
    begun = time.monotonic()
    assert work(*arguments)[0] == 200
    return time.monotonic() - begun


@pytest.fixture
def waiting(database_url, tmp_path, stage, owner, project):
    """Starts a server, and requests there that wait for a lock.

    It gives the server, threads to call it from, the requests, and what lets them go on.
    """

    @contextmanager
    def begin(fibres, renames):
        with (
            serving(database_url, tmp_path, fibres) as server,
            stage.engine.connect() as other,
            ThreadPoolExecutor(8) as pool,
        ):
            lock(other, project_table, project.id)
            begun = [
                pool.submit(call, server, owner, "PATCH", project.path, {"name": f"Park {n}"})
                for n in range(renames)
            ]
            eventually(lambda: is_locked(stage.engine, project_table, project.id))
            yield server, pool, begun, other.rollback

    return begin


def test_who_waits_for_a_lock_holds_up_no_other(waiting, stage, owner, project):
    with waiting(fibres=4, renames=3) as (server, _, renames, go_on):
        taken = [seconds(call, server, owner, "GET", project.path) for _ in range(10)]
        assert max(taken) < 1
        assert not any(rename.done() for rename in renames)
        go_on()
        assert [rename.result()[0] for rename in renames] == [200] * 3
        renamed = {rename.result()[1]["name"] for rename in renames}
    assert renamed == {f"Park {n}" for n in range(3)}
    assert {row["name"] for row in stage.rows(project_table)} <= renamed


def test_more_requests_than_turns(waiting, owner, project):
    """They wait for each other; who needs none of the turns does not wait."""
    with waiting(fibres=1, renames=1) as (server, pool, [rename], go_on):
        reads = [pool.submit(call, server, owner, "GET", project.path) for _ in range(5)]
        assert not wait(reads, 0.5).done
        assert server.ask("GET", "/health/ready")[0] == 200
        go_on()
        assert rename.result()[0] == 200
        assert [read.result()[0] for read in reads] == [200] * 5


@pytest.mark.parametrize("fibres", [0, 8])
def test_many_callers_get_what_is_theirs(database_url, tmp_path, stage, owner, fibres):
    """Turns are changed in the middle of requests: none gets another's caller or answer."""
    projects = [stage.project(owner, f"Zoo {n}") for n in range(6)]
    apps = [stage.app(each) for each in projects]
    image = base64.b64encode(CHINA).decode()

    def work(place):
        project, app = projects[place], apps[place]
        for number in range(12):
            said = f"of {place}, {number}"
            body = {"image": image, "description": said}
            status, made = call(server, app, "POST", project.targets, body)
            assert (status, made["description"]) == (201, said)
            path = f"{project.targets}/{made['id']}"
            status, read = call(server, app, "GET", path)
            assert (status, read["description"], read["image"]) == (200, said, image)
            status, changed = call(server, app, "PATCH", path, {"description": said + "!"})
            assert (status, changed["description"]) == (200, said + "!")
            assert call(server, app, "GET", projects[place - 1].targets)[0] == 403
            status, read = call(server, owner, "GET", project.path)
            assert (status, read["name"]) == (200, project.name)
            assert call(server, app, "GET", project.path)[0] == 403
        return True

    with serving(database_url, tmp_path, fibres) as server, ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


@pytest.mark.parametrize("when", ["before it is asked", "in the middle of a statement"])
def test_a_database_that_hangs_stops_nobody_else(database_url, tmp_path, stage, owner, when):
    """As behind a network that loses everything: 503 in time, and others do not notice."""
    project = stage.project(owner, "Zoo")
    writer = stage.app(project)
    upload = {"image": base64.b64encode(CHINA).decode(), "description": "x"}
    url = make_url(database_url)
    upstream = url.query.get("unix_socket") or url.port or 3306
    with Proxy(lambda: upstream) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port, query={})
        text = through.render_as_string(hide_password=False)
        with (
            serving(text, tmp_path, 6, AR_TARGETS_DATABASE_TIMEOUT="1") as server,
            ThreadPoolExecutor(6) as pool,
        ):
            if when != "before it is asked":
                assert call(server, owner, "GET", project.path)[0] == 200
            with proxy.frozen():
                calls = [
                    pool.submit(call, server, *arguments)
                    for arguments in [
                        (owner, "GET", project.path),
                        (owner, "PATCH", project.path, {"name": "Park"}),
                        (writer, "POST", project.targets, upload),
                    ]
                    * 2
                ]
                time.sleep(0.5)
                for _ in range(10):
                    assert seconds(server.ask, "GET", "/health/live") < 0.5
                assert [each.result()[0] for each in calls] == [503] * 6
            eventually(lambda: call(server, owner, "GET", project.path)[0] == 200)


def test_requests_in_a_row_are_answered_in_order(database_url, tmp_path, target, write_token):
    """Those that have come along with the first leave the turns to others."""
    head = f"Host: x\r\nAuthorization: {write_token.headers['Authorization']}\r\n"
    requests = [
        f"GET {target.path} HTTP/1.1\r\n{head}\r\n",
        "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET {target.image} HTTP/1.1\r\n{head}\r\n",
        f"GET /api/nothing HTTP/1.1\r\n{head}Connection: close\r\n\r\n",
    ]
    with serving(database_url, tmp_path, 4) as server:
        answers = server.say("".join(requests).encode())
    sizes = []
    for status in (200, 200, 200, 404):
        line, _, answers = answers.partition(b"\r\n")
        assert line.startswith(f"HTTP/1.1 {status} ".encode())
        headers, _, answers = answers.partition(b"\r\n\r\n")
        parsed = http.client.parse_headers(_Lines(headers))
        sizes.append(int(parsed["Content-Length"]))
        answers = answers[sizes[-1] :]
    assert sizes[2] == len(CHINA)
    assert answers == b""


class _Lines:
    """What `http.client` reads headers from."""

    def __init__(self, headers):
        self.lines = iter([*headers.split(b"\r\n"), b""])

    def readline(self, _limit):
        return next(self.lines) + b"\r\n"
