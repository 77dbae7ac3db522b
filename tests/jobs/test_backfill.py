"""Targets that no server has queued."""

import pytest
from sqlalchemy import delete, update

from ar_targets.jobs.backfill import Backfill
from ar_targets.models.analysis import DONE, PENDING, Analysis
from ar_targets.models.backlog import BEHIND
from ar_targets.models.target import Target

from ..tables import analysis as table
from .processes import eventually


@pytest.fixture
def forget(scope):
    """Leaves targets as the release before has stored them."""

    def forget(*wanted):
        with scope() as db:
            ids = [target.id for target in wanted]
            db.write(delete(Analysis).where(Analysis.target_id.in_(ids)))

    return forget


def to_the_end(search):
    while search.step():
        pass


def test_targets_without_a_row_come_behind_new_ones(stage, project, scope, job, known, forget):
    old, deleted = stage.target(project), stage.target(project)
    stage.delete(Target, deleted.id)
    forget(old, deleted)
    to_the_end(Backfill(scope))
    new = stage.target(project)
    for target in (old, deleted):
        row = known(target)
        assert (row["status"], row["project_id"], row["queued_at"]) == (PENDING, project.id, BEHIND)
    assert [taken.key for taken in job.take(3)] == [new.id, old.id, deleted.id]


def test_what_is_queued_stays_as_it_is(stage, project, scope):
    for _ in range(2):
        stage.target(project)
    before = stage.rows(table)
    to_the_end(Backfill(scope))
    assert stage.rows(table) == before


@pytest.mark.parametrize("column", ["sha256", "project_id"])
def test_a_picture_that_an_older_server_has_replaced_or_moved_is_queued(
    stage, project, other_project, scope, job, known, column
):
    target = stage.target(project)
    assert job.run(job.take(1)[0]) == "done"
    now = {"sha256": "0" * 64, "project_id": other_project.id}[column]
    with scope() as db:
        db.write(update(Target).where(Target.id == target.id).values({column: now}))
    to_the_end(Backfill(scope))
    row = known(target)
    assert (row["status"], row[column], row["rating"]) == (PENDING, now, None)


def test_all_batches_are_looked_at(stage, project, scope, forget):
    wanted = [stage.target(project) for _ in range(5)]
    forget(*wanted)
    search = Backfill(scope, batch=2)
    assert [search.step() for _ in range(4)] == [True, True, True, False]
    assert {row["target_id"] for row in stage.rows(table)} == {target.id for target in wanted}


def test_it_begins_anew_when_it_is_time(stage, project, scope, forget):
    search, patient = Backfill(scope, every=0), Backfill(scope)
    to_the_end(search)
    to_the_end(patient)
    forget(stage.target(project))
    to_the_end(patient)
    assert stage.rows(table) == []
    assert search.step()
    assert len(stage.rows(table)) == 1


def test_a_worker_does_it_at_its_start(stage, project, worker, known, forget):
    target = stage.target(project)
    forget(target)
    running = worker()
    eventually(lambda: stage.rows(table) and known(target)["status"] == DONE, running)
