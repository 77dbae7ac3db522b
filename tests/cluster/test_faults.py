"""No write that a cluster's server acknowledged is lost, whatever node or server ends."""

import pytest

from ..soak.test_faults import show
from .experiment import Experiment
from .faults import KINDS
from .report import Report
from .system import System

# Seconds without an acknowledged write: when a node or a server is killed, and for all else.
KILLED = ("node in use killed", "another node killed", "server killed")
KILL_GAP, GAP = 5, 10
SHAPES = {"one writes": False, "all write": True}


def check(report: Report) -> None:
    show(report)
    assert report.wrong == []
    assert report.answered(500) == 0
    for fault in report.faults:
        # nginx's own, for a server that is away.
        assert report.answered(502, fault) == 0 or fault.kind.startswith("server"), fault.kind
        assert report.gap(fault) <= (KILL_GAP if fault.kind in KILLED else GAP), fault.kind


def test_nothing_is_lost_when_the_node_in_use_is_killed(seed: int) -> None:
    with System(replicas=1) as system:
        report = Experiment(system, seed, away=3).run(["node in use killed"], between=1)
    show(report)
    assert report.wrong == []
    assert report.acknowledged[-1] > report.faults[0].began


@pytest.mark.soak
@pytest.mark.parametrize("active", SHAPES.values(), ids=SHAPES)
def test_nothing_is_lost_whatever_breaks(seed: int, active: bool) -> None:
    with System(active=active) as system:
        report = Experiment(system, seed).run(KINDS, between=5)
    check(report)
