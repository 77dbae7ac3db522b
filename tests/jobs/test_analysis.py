"""The work on one picture, and what may happen to the picture meanwhile."""

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from sqlalchemy import delete, update

from ar_targets.images import jpeg
from ar_targets.jobs.analysis import TRIES, AnalysisJob
from ar_targets.models import analysis
from ar_targets.models import target as targets
from ar_targets.models.analysis import DONE, FAILED, PENDING, Analysis
from ar_targets.models.target import Target
from ar_targets.vision.pool import Pool
from ar_targets.vision.version import VERSION
from ar_targets.vision_client import VisionAwayError, VisionClient

from ..conftest import KEY
from ..live import Wire
from ..pictures import FLOWER, drawn
from ..ports import free_port
from ..tables import feature_set, similarity
from ..unit.jpegs import arithmetic
from .conftest import MEMORY


def only(job):
    """The one picture that there is to take."""
    (taken,) = job.take(2)
    return taken


@pytest.fixture
def replace(scope, project):
    def replace(target, data=FLOWER):
        with scope() as db:
            record = targets.find(db, project.id, target.id)
            assert targets.change(db, record, {"image": jpeg.prove(data, 10**6)})

    return replace


@pytest.fixture
def move(scope, project, other_project):
    def move(target):
        with scope() as db:
            record = targets.find(db, project.id, target.id)
            assert targets.move(db, record, other_project.id)

    return move


@pytest.fixture
def purge(scope):
    def purge(target):
        with scope() as db:
            db.write(delete(Target).where(Target.id == target.id))

    return purge


@pytest.fixture
def asked(scope, pool, vision):
    """A job, and what happens when it asks the vision server: before that hears of it."""
    wire = Wire(vision)
    happens = []

    def pass_on(_):
        for happening in happens:
            happening()

    wire.cut = pass_on
    yield AnalysisJob(scope, pool, VisionClient(wire.url, KEY, 60)), happens.append
    wire.close()


def older(scope, *wanted):
    """As a server of the version before has left them."""
    with scope() as db:
        ids = [target.id for target in wanted]
        db.write(update(Analysis).where(Analysis.target_id.in_(ids)).values(version=VERSION - 1))


def examining():
    """The process that examines a picture, once there is one."""
    while not (children := multiprocessing.active_children()):
        time.sleep(0.01)
    return children[0]


class TestReplaced:
    """The old picture's result is never stored, whenever it is replaced; the new one's is."""

    def test_before_it_is_read(self, stage, project, job, known, replace):
        target = stage.target(project)
        taken = only(job)
        replace(target)
        assert job.run(taken) == "dropped"
        assert (known(target)["status"], stage.rows(feature_set)) == (PENDING, [])
        self.the_new_one_is_done(job, known, target)

    def test_while_it_is_examined(self, stage, project, job, known, replace):
        target = stage.unproven(project, arithmetic(64))
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(job.run, only(job))
            examining()
            replace(target)
            assert running.result() == "dropped"
        assert (known(target)["status"], stage.rows(feature_set)) == (PENDING, [])
        self.the_new_one_is_done(job, known, target)

    def test_before_the_result(self, stage, project, asked, job, known, replace):
        target = stage.target(project)
        slow, when_asked = asked
        when_asked(lambda: replace(target))
        assert slow.run(only(slow)) == "dropped"
        row = known(target)
        assert (row["status"], row["rating"], row["heatmap"]) == (PENDING, None, None)
        self.the_new_one_is_done(job, known, target)

    def the_new_one_is_done(self, job, known, target):
        taken = only(job)
        assert job.run(taken) == "done"
        row = known(target)
        assert (row["status"], row["sha256"]) == (DONE, jpeg.prove(FLOWER, 10**6).sha256)


class TestMoved:
    """A target in another project is another question."""

    def test_before_it_is_read(self, stage, project, job, known, move):
        target = stage.target(project)
        taken = only(job)
        move(target)
        assert job.run(taken) == "dropped"
        assert job.run(only(job)) == "done"
        assert known(target)["status"] == DONE

    def test_with_what_it_resembles(self, stage, project, other_project, job, move):
        stay, target = stage.target(project), stage.target(project)
        there = stage.target(other_project)
        for taken in job.take(3):
            assert job.run(taken) == "done"
        assert pairs(stage) == both(stay, target)
        move(target)
        assert job.run(only(job)) == "done"
        assert pairs(stage) == both(target, there)


def pairs(stage):
    return {(row["target_id"], row["other_id"]) for row in stage.rows(similarity)}


def both(one, other):
    return {(one.id, other.id), (other.id, one.id)}


class TestPurged:
    """Nothing is left, and nothing breaks."""

    def test_before_it_is_read(self, stage, project, job, purge):
        target = stage.target(project)
        taken = only(job)
        purge(target)
        assert job.run(taken) == "dropped"

    def test_before_the_result(self, stage, project, asked, purge):
        target = stage.target(project)
        slow, when_asked = asked
        when_asked(lambda: purge(target))
        assert slow.run(only(slow)) == "dropped"
        assert stage.rows(feature_set) == []

    def test_the_one_that_it_resembles(self, stage, project, asked, purge, known):
        target, other = stage.target(project), stage.target(project)
        job, when_asked = asked
        first, second = job.take(2)
        assert job.run(first) == "done"
        when_asked(lambda: purge(target))
        assert job.run(second) == "done"
        assert (known(other)["status"], pairs(stage)) == (DONE, set())


class TestOlderVersion:
    def test_it_is_behind_new_pictures_and_known_until_it_is_done(
        self, stage, project, job, known, scope
    ):
        old, failed = stage.target(project), stage.unproven(project, b"no picture")
        for taken in job.take(2):
            job.run(taken)
        older(scope, old, failed)
        new = stage.target(project)
        first, second, third = job.take(3)
        assert [first.key, second.key, third.key] == [new.id, old.id, failed.id]
        assert (known(old)["status"], known(failed)["status"]) == (DONE, FAILED)
        assert known(old)["rating"] is not None
        assert [job.run(taken) for taken in (first, second, third)] == ["done", "done", "failed"]
        assert {known(one)["version"] for one in (old, failed, new)} == {VERSION}
        assert job.take(1) == []

    def test_what_a_newer_worker_is_to_do_is_left_to_it(self, stage, project, job, scope):
        target = stage.target(project)
        with scope() as db:
            newer = update(Analysis).where(Analysis.target_id == target.id)
            db.write(newer.values(version=VERSION + 1))
        assert job.take(1) == []


class TestGivenUp:
    def test_after_three_tries_and_then_tried_again_by_request(
        self, stage, project, job, known, leases_over, scope
    ):
        target = stage.unproven(project, arithmetic(64))
        for outcome in ("again", "again", "failed"):
            with ThreadPoolExecutor(1) as threads:
                running = threads.submit(job.run, only(job))
                # As the kernel kills, when there is no memory left.
                examining().kill()
                assert running.result() == outcome
            if outcome == "again":
                assert known(target)["status"] == PENDING
                assert job.take(1) == []
            leases_over()
        row = known(target)
        assert (row["status"], row["tries"], row["lease"]) == (FAILED, 0, None)
        (problem,) = orjson.loads(row["problems"])
        assert (problem["code"], problem["severity"]) == ("failed", "error")
        assert "the process ended with -9" in problem["description"]
        assert problem["area"] is None
        with scope() as db:
            analysis.requeue(db, target.id, project.id, row["sha256"])
        assert known(target)["status"] == PENDING
        assert only(job).tries == 1

    def test_when_each_worker_that_took_it_was_killed(
        self, stage, project, job, known, leases_over
    ):
        target = stage.target(project)
        for _ in range(TRIES):
            only(job)
            leases_over()
        assert job.run(only(job)) == "failed"
        assert "the worker ended before it did" in known(target)["problems"]

    def test_at_once_where_it_takes_too_long_and_the_next_goes_on(
        self, stage, project, scope, vision, known
    ):
        hostile, target = stage.unproven(project, arithmetic(64)), stage.target(project, drawn())
        strict = AnalysisJob(scope, Pool(1, MEMORY, seconds=2), VisionClient(vision.url, KEY, 60))
        assert [strict.run(taken) for taken in strict.take(2)] == ["failed", "done"]
        (problem,) = orjson.loads(known(hostile)["problems"])
        assert "it takes more than 2 s of CPU" in problem["description"]
        assert known(target)["status"] == DONE

    def test_at_once_where_the_picture_is_at_fault(self, stage, project, job, known):
        target = stage.unproven(project, b"no picture")
        assert job.run(only(job)) == "failed"
        (problem,) = orjson.loads(known(target)["problems"])
        assert problem["description"].startswith("The picture could not be examined: ")
        assert "Error" not in problem["description"]


def test_what_ends_late_changes_nothing(stage, project, job, known):
    """The lease ran out, and another worker was quicker."""
    target = stage.target(project)
    (late,) = job.take(1, seconds=-1)
    assert job.run(only(job)) == "done"
    before = known(target)
    assert job.run(late) == "dropped"
    assert known(target) == before


def test_nothing_is_stored_without_the_vision_server(stage, project, scope, pool, known):
    target = stage.target(project)
    job = AnalysisJob(scope, pool, VisionClient(f"http://127.0.0.1:{free_port()}", KEY, 5))
    with pytest.raises(VisionAwayError):
        job.run(only(job))
    assert known(target)["status"] == PENDING


def test_deleted_targets_are_examined_too(stage, project, job, known):
    """They may be restored."""
    target, other = stage.target(project), stage.target(project)
    stage.delete(Target, target.id)
    for taken in job.take(2):
        assert job.run(taken) == "done"
    assert known(target)["status"] == DONE
    assert pairs(stage) == both(target, other)
