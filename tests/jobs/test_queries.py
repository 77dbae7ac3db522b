"""What workers ask of the database while there is nothing to do, however many rows there are."""

import pytest

from ar_targets.jobs.backfill import Backfill
from ar_targets.models import backlog

from ..contract.test_queries import EXPLAIN, check_plan, crowd, statements

__all__ = ["crowd", "statements"]


@pytest.fixture
def explained(app, crowd, statements):
    """The plans of what something has asked."""

    def explain(work):
        statements.clear()
        work()
        sent = statements[:]
        assert sent
        return sent

    return explain


def test_a_look_for_pictures_reads_an_index_in_its_order(app, explained, job):
    for statement, parameters in explained(lambda: job.take(2)):
        assert "SKIP LOCKED" in statement or statement.startswith("UPDATE analysis")
        check_plan(app.registry.engine, statement, parameters)


def plan_of(app, statement, parameters):
    with app.registry.engine.connect() as connection:
        explained = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters)
        return [step for step in explained.mappings().all() if step["table"]]


def test_what_is_left_is_counted_in_indexes_alone(app, explained, scope):
    def read():
        with scope() as db:
            backlog.read(db)

    for statement, parameters in explained(read):
        for step in plan_of(app, statement, parameters):
            assert step["key"], (statement, dict(step))
            assert "Using index" in step["Extra"], (statement, dict(step))


def test_the_backfill_reads_a_range_of_ids(app, explained, scope):
    for statement, parameters in explained(Backfill(scope).step):
        assert "target.image" not in statement
        for step in plan_of(app, statement, parameters):
            # MySQL lists the table that is written to as well, as if it were read.
            if step["select_type"] != "INSERT" and not step["table"].startswith("<derived"):
                assert step["type"] not in ("ALL", "index")
