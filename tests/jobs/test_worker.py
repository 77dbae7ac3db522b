"""``ar_targets_worker``: processes that share pictures, and what they survive."""

import random
import re
import signal
import urllib.request
from collections import Counter

import pytest
from sqlalchemy import make_url

from ar_targets.models.analysis import DONE, FAILED, PENDING

from ..database_proxy.proxy import upstream_of
from ..pictures import CHINA, FLOWER, drawn
from ..ports import free_port
from ..soak.proxy import Proxy
from ..tables import analysis, feature_set, similarity
from ..unit.jpegs import arithmetic
from .processes import VisionServer, eventually

ENDED = re.compile(r"picture target_id=(\d+) outcome=(\w+)")


def statuses(stage):
    return Counter(row["status"] for row in stage.rows(analysis))


def ended(*workers):
    """The targets whose work has ended, by outcome."""
    return Counter(found for worker in workers for found in ENDED.findall(worker.log))


def url_through(proxy, url):
    """The same database by way of a proxy."""
    made = make_url(url).difference_update_query(["unix_socket"])
    return made.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)


def upload(app, project, token, image):
    headers = {**token.headers, "Content-Type": "image/jpeg"}
    return app.post(project.targets, image, headers=headers, status=201).json["id"]


def test_what_is_uploaded_is_analysed(app, stage, project, write_token, worker):
    running = worker()
    china, flower = (upload(app, project, write_token, image) for image in (CHINA, FLOWER))
    eventually(lambda: statuses(stage) == {DONE: 2}, running)
    rows = {row["target_id"]: row for row in stage.rows(analysis)}
    for row in rows.values():
        assert 0 <= row["rating"] <= 5
        assert row["rating_order"] == 5 - row["rating"]
        assert 0 <= row["trackability"] <= 100
        assert row["features"] > 0
        assert row["heatmap"].startswith(b"\x89PNG")
        assert row["analysed_at"] >= row["queued_at"]
        assert (row["tries"], row["lease"]) == (0, None)
    assert {row["target_id"] for row in stage.rows(feature_set)} == {china, flower}
    assert stage.rows(similarity) == []


def test_two_of_the_same_name_each_other(app, stage, project, other_project, other_token, worker):
    one, two = stage.target(project, CHINA), stage.target(project, CHINA)
    stage.target(other_project, CHINA)
    running = worker(worker_processes=2)
    eventually(lambda: statuses(stage) == {DONE: 3}, running)
    found = {(row["target_id"], row["other_id"]) for row in stage.rows(similarity)}
    assert found == {(one.id, two.id), (two.id, one.id)}


@pytest.mark.parametrize("number", [20, pytest.param(100, marks=pytest.mark.soak)])
def test_two_workers_share_the_work(stage, project, worker, number):
    picture = drawn()
    wanted = [stage.target(project, picture).id for _ in range(number)]
    running = [worker(), worker(worker_processes=2)]
    eventually(lambda: statuses(stage) == {DONE: number}, *running)
    assert ended(*running) == Counter({(str(target_id), "done"): 1 for target_id in wanted})
    assert all(ended(one) for one in running)


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.soak)])
def test_kills_at_any_moment(stage, project, worker, leases_over, seed, kills):
    """Each some moments after a picture was done: in the end all are, once."""
    choice, picture = random.Random(seed), drawn()
    wanted = {stage.target(project, picture).id for _ in range(4 * kills)}
    for _ in range(kills):
        running, before = worker(), statuses(stage)[DONE]
        eventually(lambda before=before: statuses(stage)[DONE] > before, running)
        # Some tenths of a second: each of the stages takes less.
        with pytest.raises(Exception, match="timed out"):
            running.process.wait(choice.uniform(0, 0.3))
        running.kill()
        leases_over()
    eventually(lambda: statuses(stage) == {DONE: 4 * kills}, worker())
    assert {row["target_id"] for row in stage.rows(feature_set)} == wanted
    pairs = {(row["target_id"], row["other_id"]) for row in stage.rows(similarity)}
    assert pairs == {(other, one) for one, other in pairs}


def test_killed_while_a_picture_is_examined(stage, project, worker, known, leases_over):
    target = stage.unproven(project, arithmetic(64))
    running = worker()
    eventually(lambda: known(target)["lease"], running)
    running.kill()
    assert (known(target)["status"], known(target)["tries"]) == (PENDING, 1)
    leases_over()
    running = worker()
    eventually(lambda: known(target)["status"] != PENDING, running)
    assert sum(ended(running).values()) == 1


def test_killed_between_the_features_and_the_result(
    stage, project, vision, worker, known, leases_over
):
    target = stage.target(project)
    vision.process.send_signal(signal.SIGSTOP)
    try:
        running = worker()
        eventually(lambda: stage.rows(feature_set), running)
        running.kill()
    finally:
        vision.process.send_signal(signal.SIGCONT)
    assert known(target)["status"] == PENDING
    leases_over()
    eventually(lambda: known(target)["status"] == DONE, worker())


def test_what_is_no_picture_fails_and_the_next_goes_on(stage, project, worker, known):
    broken = stage.unproven(project, b"no picture")
    target = stage.target(project)
    running = worker()
    eventually(lambda: known(target)["status"] == DONE, running)
    assert (known(broken)["status"], known(broken)["tries"]) == (FAILED, 0)
    assert f"gave up on target {broken.id}" in running.log


def test_a_vision_server_that_is_away_is_waited_for(
    stage, project, database_url, tmp_path, worker, known
):
    target = stage.target(project)
    server = VisionServer(tmp_path, database_url)
    running = worker(vision_url=server.url)
    eventually(lambda: "the vision server is away" in running.log, running)
    eventually(lambda: known(target)["lease"] is None, running)
    assert (known(target)["status"], known(target)["tries"]) == (PENDING, 0)
    server.start()
    try:
        eventually(lambda: known(target)["status"] == DONE, running)
        eventually(lambda: "the vision server is back" in running.log, running)
    finally:
        server.stop()
    assert running.log.count("is away") == 1


def test_a_database_that_is_away_is_waited_for(stage, project, database_url, worker, known):
    here, nowhere = upstream_of(database_url)(), ("127.0.0.1", free_port())
    places = [here]
    with Proxy(lambda: places[-1]) as proxy:
        running = worker(database_url=url_through(proxy, database_url))
        first = stage.target(project)
        eventually(lambda: known(first)["status"] == DONE, running)
        places.append(nowhere)
        proxy.cut(random.Random(1))
        eventually(lambda: "the database is away" in running.log, running)
        second = stage.target(project)
        places.append(here)
        eventually(lambda: known(second)["status"] == DONE, running)
        eventually(lambda: "the database is back" in running.log, running)
        assert running.log.count("is away") == 1
        assert running.stop() == 0


def test_it_begins_without_a_database(stage, project, database_url, worker, known):
    target, places = stage.target(project), [("127.0.0.1", free_port())]
    with Proxy(lambda: places[-1]) as proxy:
        running = worker(database_url=url_through(proxy, database_url))
        eventually(lambda: "the database is away" in running.log, running)
        places.append(upstream_of(database_url)())
        eventually(lambda: known(target)["status"] == DONE, running)
        assert running.stop() == 0


def test_sigterm_lets_the_picture_come_to_its_end(stage, project, worker, known):
    targets = [stage.target(project) for _ in range(2)]
    running = worker()
    eventually(lambda: known(targets[0])["lease"], running)
    assert running.stop() == 0
    assert known(targets[0])["status"] == DONE
    assert (known(targets[1])["status"], known(targets[1])["tries"]) == (PENDING, 0)


def test_sigterm_gives_back_what_does_not_end(stage, project, vision, worker, known):
    target = stage.target(project)
    vision.process.send_signal(signal.SIGSTOP)
    try:
        running = worker(vision_timeout=100)
        eventually(lambda: stage.rows(feature_set), running)
        assert running.stop() == 0
    finally:
        vision.process.send_signal(signal.SIGCONT)
    row = known(target)
    assert (row["status"], row["tries"], row["lease"]) == (PENDING, 0, None)


def test_its_own_metrics(stage, project, worker):
    stage.target(project)
    stage.unproven(project, b"no picture")
    port = free_port()
    running = worker(worker_listen=f"127.0.0.1:{port}")
    eventually(lambda: statuses(stage) == {DONE: 1, FAILED: 1}, running)
    eventually(lambda: sum(ended(running).values()) == 2, running)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    for outcome in ("done", "failed"):
        assert f'ar_targets_worker_picture_seconds_count{{outcome="{outcome}"}} 1.0' in text


def test_it_does_not_begin_without_a_vision_server(worker):
    running = worker(vision_url="")
    assert running.process.wait(60) == 1
    assert running.log.count("\n") == 1
    assert "ar_targets.vision_url: it is not set" in running.log
