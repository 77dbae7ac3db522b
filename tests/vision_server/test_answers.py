"""What the server answers, to whom, and what hostile pictures do to it."""

import os
import signal
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from ar_targets.vision import examine
from ar_targets.vision.version import VERSION
from ar_targets.vision_client import (
    VisionAwayError,
    VisionBusyError,
    VisionPictureError,
)

from ..pictures import drawn
from ..unit.jpegs import arithmetic
from .pictures import DAHLIA, GATE, SMALL_GATE
from .process import PATIENCE, VISION_KEY, VisionServer, wait_until

QUESTIONS = ["/project/1/analysis", "/project/1/similar", "/project/1/target/1/similar"]


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer another key",
        f"Bearer {VISION_KEY}x",
        f"Basic {VISION_KEY}",
        VISION_KEY,
    ],
)
def test_nobody_without_the_key(server, path, header):
    headers = {} if header is None else {"Authorization": header}
    answer = requests.post(server.url + path, GATE, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {"error": "the key is missing or wrong"}


def test_an_analysis_is_what_is_found_out_in_one_process(server, analysed, project):
    target = analysed(project, SMALL_GATE)
    analysed(project, DAHLIA)
    answer = server.client.analyse(project.id, GATE)
    assert answer.version == VERSION
    assert answer.assessment == examine.examine(GATE).assessment
    (similar,) = answer.similar
    assert similar.id == target.id
    assert similar.value > 0.9
    assert answer.similar == server.client.similar(project.id, GATE)


def test_a_project_without_targets(server):
    assert server.client.similar(10**17, GATE) == []


@pytest.mark.parametrize("data", [b"", b"no picture", drawn("PNG"), GATE[:1000]], ids=len)
def test_what_is_no_picture(server, data):
    for ask in (server.client.analyse, server.client.similar):
        with pytest.raises(VisionPictureError):
            ask(1, data)


@pytest.mark.parametrize(
    "path",
    ["/", "/project/1", "/project/0/similar", "/project/x/similar", f"/project/{10**18}/similar"],
)
def test_unknown_paths(server, path):
    answer = server.post(path)
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_a_target_without_features(server, stage, project):
    target = stage.target(project, GATE)
    assert server.post(f"/project/{project.id}/target/{target.id}/similar").status_code == 404
    with pytest.raises(VisionAwayError, match="no features"):
        server.client.similar_to(project.id, target.id)


def test_a_body_beyond_the_limit(server):
    answer = server.post("/project/1/similar", bytes(10 * 2**20 + 1))
    assert answer.status_code == 413


def test_health(server):
    assert requests.get(f"{server.url}/health/live", timeout=PATIENCE).json() == {"status": "ok"}
    ready = requests.get(f"{server.url}/health/ready", timeout=PATIENCE)
    assert ready.json()["status"] == "ok"


def test_metrics(server, analysed, project):
    analysed(project, GATE)
    counted = '{route="/project/{project_id}/similar",status="200"}'
    before = server.metric("request_seconds_count", counted)
    loads = server.metric("index_loads_total")
    for _ in range(2):
        server.client.similar(project.id, GATE)
    assert server.metric("request_seconds_count", counted) == before + 2
    assert server.metric("index_loads_total") == loads + 1
    assert server.metric("indexes") >= 1
    assert server.metric("index_bytes") > 100_000
    assert server.metric("in_flight_requests") == 0


def test_a_request_is_logged_with_its_id(server, analysed, project):
    headers = {"Authorization": f"Bearer {VISION_KEY}", "X-Request-ID": "of-the-api-7"}
    path = f"{server.url}/project/{project.id}/similar"
    answer = requests.post(path, GATE, headers=headers, timeout=PATIENCE)
    assert answer.headers["X-Request-ID"] == "of-the-api-7"
    (line,) = [line for line in server.log.splitlines() if "of-the-api-7" in line]
    assert "POST /project/{project_id}/similar 200" in line


def test_the_key_and_the_settings_are_nowhere_where_they_need_not_be(server):
    """Neither in the log, nor in the environment that pictures' processes inherit."""
    assert VISION_KEY not in server.log
    processes = [Path(f"/proc/{pid}") for pid in server.helpers()]
    (fork_server,) = [
        process for process in processes if b"forkserver" in (process / "cmdline").read_bytes()
    ]
    assert b"AR_TARGETS_" not in (fork_server / "environ").read_bytes()


def test_a_hostile_picture_ends_within_its_limits(server):
    """A fast machine may be done with it just in time."""
    ended = "in time"
    try:
        server.client.analyse(1, arithmetic(64))
    except VisionPictureError as error:
        ended = str(error)
    assert ended == "in time" or "more than 5 s of CPU" in ended
    assert server.client.similar(1, GATE) == []


def test_a_killed_process_harms_no_other(server):
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(server.post, "/project/1/analysis", arithmetic(64))
        wait_until(server.children)
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        answer = asked.result()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json() == {"error": "the process ended with -9"}
    assert server.client.analyse(1, GATE).assessment.rating > 0


def test_who_waits_for_an_index_that_others_load_is_told(patient, stage, project):
    with stage.engine.connect() as connection, ThreadPoolExecutor(2) as threads:
        connection.execute(text("LOCK TABLES feature_set WRITE"))
        try:
            path = f"/project/{project.id}/similar"
            asked = [threads.submit(patient.post, path, GATE) for _ in range(2)]
            done, (first,) = wait(asked, return_when=FIRST_COMPLETED)
            (answer,) = (each.result() for each in done)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            assert "is being loaded" in answer.json()["error"]
        finally:
            connection.execute(text("UNLOCK TABLES"))
        assert first.result().status_code == 200


@pytest.fixture
def patient(database_url, tmp_path):
    """Waits for the database as long as it takes."""
    settings = {"database_timeout": str(round(PATIENCE))}
    with VisionServer(database_url, tmp_path, **settings).running() as started:
        yield started


@pytest.fixture
def narrow(database_url, tmp_path):
    """Takes on one question at a time, and waits for the database as long as it takes."""
    settings = {"vision_requests": "1", "database_timeout": str(round(PATIENCE))}
    with VisionServer(database_url, tmp_path, **settings).running() as started:
        yield started


def test_beyond_the_limit_the_answer_is_503_at_once(narrow, stage, project):
    with stage.engine.connect() as connection, ThreadPoolExecutor(1) as threads:
        connection.execute(text("LOCK TABLES feature_set WRITE"))
        try:
            first = threads.submit(narrow.client.similar, project.id, GATE)
            wait_until(lambda: narrow.metric("in_flight_requests") == 1)
            for _ in range(20):
                with pytest.raises(VisionBusyError, match="1 requests") as caught:
                    narrow.client.similar(project.id, GATE)
                assert caught.value.retry_after == 2
            assert not first.done()
            live = requests.get(f"{narrow.url}/health/live", timeout=PATIENCE)
            assert live.status_code == 200
        finally:
            connection.execute(text("UNLOCK TABLES"))
        assert first.result() == []
    assert narrow.client.similar(project.id, GATE) == []
