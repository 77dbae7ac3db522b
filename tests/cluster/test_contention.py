"""Writers that meet on one row: each gets its turn, and none overwrites what another was told."""

import pytest

from .contention import Outcome, contend
from .system import System

WRITERS, SECONDS = 32, 60
# Share of 503s where all nodes take writes: their conflicts show at COMMIT.
BUSY = 0.005


def show(outcome: Outcome) -> None:
    print(outcome)


@pytest.mark.soak
def test_one_node_serves_all_writers_of_a_row(seed: int) -> None:
    with System() as system:
        outcome = contend(system, seed, WRITERS, SECONDS)
    show(outcome)
    assert outcome.wrong == []
    assert outcome.share(503) == 0


@pytest.mark.soak
def test_all_nodes_serve_nearly_all_writers_of_a_row(seed: int) -> None:
    with System(active=True) as system:
        outcome = contend(system, seed, WRITERS, SECONDS)
    show(outcome)
    assert outcome.wrong == []
    assert outcome.share(503) <= BUSY
