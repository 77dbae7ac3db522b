"""The production server, with nginx in front of it."""

import pytest

from ..functional.test_server import PROXY, running
from .nginx import nginx

# As in production, where tests of the server alone want other limits.
SETTINGS = PROXY | {
    "AR_TARGETS_LOGIN_FAILURES": "1000 per 1 minute",
    "AR_TARGETS_LOGIN_FAILURES_PER_ADDRESS": "1000 per 1 minute",
    "AR_TARGETS_IMAGE_MAX_BYTES": "10485760",
}


@pytest.fixture(scope="session")
def server(database_url, tmp_path_factory):
    """The server, which nobody talks to directly."""
    directory = tmp_path_factory.mktemp("server")
    with (
        (directory / "log").open("wb") as log,
        running(database_url, directory, workers=2, environ=SETTINGS, log=log) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def edge(server, tmp_path_factory):
    """What clients talk to."""
    with nginx(tmp_path_factory.mktemp("nginx"), server.port) as started:
        yield started
