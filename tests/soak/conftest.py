"""What an experiment starts from."""

import secrets

import pytest


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Where random choices come from; it is printed, so that a run can be repeated."""
    chosen = request.config.getoption("--seed")
    return secrets.randbelow(10**6) if chosen is None else chosen


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> int:
    """How many of each kind."""
    return request.config.getoption("--faults")
