"""A vision server for all tests here, and what they do with pictures."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ar_targets.db.session import Scope, transaction_scope
from ar_targets.jobs.analysis import AnalysisJob
from ar_targets.vision.pool import Pool, memory_limit
from ar_targets.vision_client import VisionClient

from ..actors import Stage, Target
from ..conftest import KEY
from ..tables import analysis as table
from .processes import Process, VisionServer

MEMORY = memory_limit(10 * 2**20, 50_000_000)
PAST = "2000-01-01"


@pytest.fixture(scope="session")
def vision(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisionServer]:
    server = VisionServer(tmp_path_factory.mktemp("vision"), database_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pool() -> Pool:
    return Pool(2, MEMORY)


@pytest.fixture
def scope(stage: Stage) -> Scope:
    return functools.partial(transaction_scope, stage.engine)


@pytest.fixture
def job(scope: Scope, pool: Pool, vision: VisionServer) -> AnalysisJob:
    """The job as the worker does it, in this process."""
    return AnalysisJob(scope, pool, VisionClient(vision.url, KEY, 60))


@pytest.fixture
def worker(
    database_url: str, tmp_path: Path, rows_removed: None, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Process]]:
    """Starts workers, each ended at the end of the test, if it has not been killed."""
    made: list[Process] = []

    def start(**settings: object) -> Process:
        if "vision_url" not in settings:
            settings["vision_url"] = request.getfixturevalue("vision").url
        given = {"database_url": database_url, "vision_key": KEY, **settings}
        process = Process("worker", tmp_path, f"worker-{len(made)}", **given)
        made.append(process)
        process.start()
        return process

    yield start
    for process in made:
        if process.process is not None and process.process.poll() is None:
            assert process.stop() == 0, process.log


@pytest.fixture
def known(stage: Stage) -> Callable[..., dict[str, Any]]:
    """What is known about a target: its row."""

    def known(target: Target) -> dict[str, Any]:
        (row,) = stage.rows(table, table.c.target_id == target.id)
        return row

    return known


@pytest.fixture
def leases_over(stage: Stage) -> Callable[[], None]:
    """Lets the time of all leases be over, as it is some time after a worker was killed."""

    def end() -> None:
        with stage.engine.begin() as connection:
            leased = table.c.leased_until.is_not(None)
            connection.execute(table.update().where(leased).values(leased_until=PAST))

    return end
