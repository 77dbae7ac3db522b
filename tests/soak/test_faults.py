"""No write that was acknowledged is lost, whatever is killed or cut."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .experiment import Experiment
from .faults import KINDS, schedule
from .machine import Machine

# What `make test` has time for: the database's time-outs are tested elsewhere.
QUICK = [kind for kind in KINDS if kind != "database frozen"]


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="ar-") as directory, Machine(Path(directory)) as made:
        yield made


def test_each_fault_once(machine: Machine, seed: int) -> None:
    report = Experiment(machine, seed).run(QUICK, between=0.7)
    print(report)
    assert report.wrong == []
    assert len(report.faults) == len(QUICK)


@pytest.mark.soak
def test_a_database_that_breaks_its_word_is_found_out(tmp_path: Path, seed: int) -> None:
    """Else the experiment proves nothing: this one keeps what it promised in memory for a while."""
    with Machine(tmp_path, durable=False) as machine:
        report = Experiment(machine, seed).run(["database killed"] * 2, between=1)
    assert any("there is no row of it" in loss for loss in report.wrong)


@pytest.mark.soak
def test_many_faults(machine: Machine, seed: int, faults: int) -> None:
    kinds = schedule(faults, random.Random(seed))
    report = Experiment(machine, seed).run(kinds, between=6)
    print(report)
    assert report.wrong == []
    assert report.longest() < 20
