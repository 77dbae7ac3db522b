"""No write that was acknowledged is lost, whatever is killed, cut, frozen or full."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .experiment import Experiment
from .faults import ANYWHERE, KILLS, schedule
from .machine import Machine, small_disk
from .report import Report

# What `make test` has time for; a database that hangs is in tests/functional.
QUICK = [kind for kind in ANYWHERE if kind != "database frozen"]
# MiB of disk: room for the work of one quick run, and of a long one.
QUICK_DISK, DISK = 500, 1000


@pytest.fixture
def directory() -> Iterator[Path]:
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="ar-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def quick(seed: int) -> Iterator[Report]:
    """Each fault once, the full disk among them where one can be mounted."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ar-")))
        kinds = [*QUICK, "disk full"]
        try:
            disk = stack.enter_context(small_disk(directory / "disk", QUICK_DISK))
        except OSError:
            disk, kinds = None, QUICK
        machine = stack.enter_context(Machine(directory, disk=disk))
        # Beside other tests.
        yield Experiment(machine, seed, pause=0.2, alone=False).run(kinds, between=0.5)


def show(report: Report) -> None:
    """The figures are what a soak is for; pytest shows them of a test that fails."""
    print(report)


def test_nothing_is_lost(quick: Report) -> None:
    show(quick)
    assert quick.wrong == []
    assert {fault.kind for fault in quick.faults} >= set(QUICK)


def test_nothing_is_lost_on_a_full_disk(quick: Report) -> None:
    if "disk full" not in {fault.kind for fault in quick.faults}:
        pytest.skip("no small file system could be mounted: that takes root's rights")
    assert quick.wrong == []


@pytest.mark.soak
def test_many_faults(directory: Path, seed: int, faults: int) -> None:
    kinds = schedule(faults, random.Random(seed))
    with Machine(directory) as machine:
        report = Experiment(machine, seed).run(kinds, between=5)
    show(report)
    assert report.wrong == []


@pytest.mark.soak
def test_fifty_kills(directory: Path, seed: int) -> None:
    """Of database, server and worker, and one more; closer to each other than other faults."""
    kinds = schedule(17, random.Random(seed), KILLS)
    with Machine(directory) as machine:
        # How soon it is well again is told by the figures, and bounded by the test above.
        report = Experiment(machine, seed, alone=False).run(kinds, between=2)
    show(report)
    assert report.wrong == []
    assert len(report.faults) == len(kinds) == 51


@pytest.mark.soak
def test_many_full_disks(directory: Path, seed: int, faults: int) -> None:
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(directory / "disk", DISK))
        except OSError as refused:
            pytest.skip(f"a small disk takes the right to mount one: {refused}")
        machine = stack.enter_context(Machine(directory, disk=disk))
        report = Experiment(machine, seed).run(["disk full"] * faults, between=2)
    show(report)
    assert report.wrong == []


@pytest.mark.soak
def test_a_database_that_breaks_its_word_is_found_out(directory: Path, seed: int) -> None:
    """Else the experiment proves nothing: this one keeps what it promised in memory for a while."""
    with Machine(directory, durable=False) as machine:
        report = Experiment(machine, seed).run(["database killed"] * 2, between=1)
    assert any("there is no row of it" in loss for loss in report.wrong)
