"""The client against a live server, over a wire that can be cut."""

from collections.abc import Iterator

import pytest

from ar_targets.client import Client, Retry

from ..live import Live, Wire, live

FAST = Retry(attempts=4, first=0.01, longest=0.05, patience=3)


@pytest.fixture(scope="session")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(database_url, tmp_path_factory.mktemp("live"), login_failures="3 per 1 hour") as made:
        yield made


@pytest.fixture
def wire(server: Live) -> Iterator[Wire]:
    made = Wire(server)
    yield made
    made.close()


@pytest.fixture
def client(server: Live, rows_removed: None) -> Iterator[Client]:
    """A client without a token, and hardly any pauses."""
    with Client(server.url, retry=FAST) as made:
        yield made
