"""What an experiment starts from."""

import pytest


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> int:
    """How many of each kind."""
    return request.config.getoption("--faults")
