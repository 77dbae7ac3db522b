"""Leases: who has a row, until when, and what becomes of it."""

import functools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from ar_targets.db.session import transaction_scope
from ar_targets.jobs import lease
from ar_targets.models import analysis, soft_delete
from ar_targets.models.analysis import DONE, PENDING, Analysis
from ar_targets.models.target import Target

from ..pictures import drawn
from ..tables import analysis as table


@pytest.fixture
def scope(stage):
    return functools.partial(transaction_scope, stage.engine)


@pytest.fixture
def take(scope):
    return functools.partial(
        lease.take,
        scope,
        Analysis,
        Analysis.sha256,
        ready=Analysis.status == PENDING,
        order=(Analysis.queued_at, Analysis.target_id),
        index="ix_analysis_status_queued_at_target_id",
        limit=1,
        seconds=60,
    )


def finish(scope, taken, status=DONE):
    with scope() as db:
        return analysis.finish(db, taken.key, taken.token, {"status": status})


def row(stage, taken):
    (found,) = stage.rows(table, table.c.target_id == taken.key)
    return found


def test_the_oldest_first_and_each_once(stage, project, take):
    targets = [stage.target(project) for _ in range(3)]
    assert [taken.key for taken in take(limit=2)] == [targets[0].id, targets[1].id]
    assert [taken.key for taken in take(limit=2)] == [targets[2].id]
    assert take() == []


def test_what_is_read_along(stage, project, take):
    stage.target(project)
    (taken,) = take()
    found = row(stage, taken)
    assert taken.row.sha256 == found["sha256"]
    assert (taken.tries, taken.token) == (found["tries"], found["lease"]) == (1, taken.token)


def test_a_row_that_is_locked_is_not_waited_for(stage, project, scope, take):
    first, second = stage.target(project), stage.target(project)
    with scope() as db:
        db.write(update(Analysis).where(Analysis.target_id == first.id).values(tries=0))
        assert [taken.key for taken in take(limit=2)] == [second.id]
    assert [taken.key for taken in take(limit=2)] == [first.id]


def test_a_lease_that_has_run_out_is_taken_again_and_holds_no_more(stage, project, scope, take):
    stage.target(project)
    (first,) = take(seconds=-1)
    (second,) = take()
    assert (second.key, second.tries) == (first.key, 2)
    assert not finish(scope, first)
    assert row(stage, first)["status"] == PENDING
    assert finish(scope, second)
    found = row(stage, second)
    assert (found["status"], found["lease"], found["leased_until"]) == (DONE, None, None)
    assert found["tries"] == 0


def test_a_lease_that_is_extended_is_not_taken(stage, project, scope, take):
    stage.target(project)
    taken = take(seconds=-1)
    lease.extend(scope, taken, 60)
    assert take() == []
    assert finish(scope, taken[0])


def test_a_lease_of_others_is_not_extended(stage, project, scope, take):
    stage.target(project)
    stale, (taken,) = take(seconds=-1), take(seconds=60)
    before = row(stage, taken)
    lease.extend(scope, stale, 3600)
    lease.give_back(scope, stale[0], counted=True)
    assert row(stage, taken) == before


@pytest.mark.parametrize(("counted", "tries"), [(True, 1), (False, 0)])
def test_what_is_given_back_can_be_taken(stage, project, scope, take, counted, tries):
    stage.target(project)
    (taken,) = take()
    lease.give_back(scope, taken, counted=counted)
    assert row(stage, taken)["tries"] == tries
    assert not finish(scope, taken)
    assert [again.tries for again in take()] == [tries + 1]


def test_what_is_given_back_for_later_is_left_alone_until_then(stage, project, scope, take):
    stage.target(project)
    (taken,) = take()
    lease.give_back(scope, taken, counted=True, seconds=60)
    assert row(stage, taken)["lease"] is None
    assert take() == []


def test_a_lease_ends_when_the_row_is_queued_again(stage, project, scope, take):
    target = stage.target(project)
    (taken,) = take()
    with scope() as db:
        analysis.queue(db, target.id, project.id, "0" * 64)
    assert not finish(scope, taken)
    assert [again.row.sha256 for again in take()] == ["0" * 64]


def test_a_lease_of_what_is_removed(stage, project, scope, take):
    target = stage.target(project)
    (taken,) = take()
    with scope() as db:
        soft_delete.delete(db, Target, target.id)
        db.write(Target.__table__.delete().where(Target.id == target.id))
    lease.extend(scope, [taken], 60)
    lease.give_back(scope, taken, counted=False)
    assert not finish(scope, taken)


def test_many_at_once_take_each_row_once(stage, project, scope, take):
    """Each with connections of its own, as on many machines."""
    picture = drawn()
    wanted = {stage.target(project, picture).id for _ in range(100)}
    got, together = Counter(), threading.Barrier(6)

    def work():
        together.wait(30)
        while taken := take(limit=3):
            got.update(one.key for one in taken)
            assert all(finish(scope, one) for one in taken)

    with ThreadPoolExecutor(6) as threads:
        for running in [threads.submit(work) for _ in range(6)]:
            running.result()
    # A look that finds all that is left locked comes back empty: what it missed is still there.
    while taken := take(limit=3):
        got.update(one.key for one in taken)
    assert got == Counter(wanted)
