"""What tests of several scripts need."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from ar_targets.backup import vendor
from ar_targets.backup.manifest import BackupError

from ..conftest import kept_logging


@pytest.fixture(autouse=True)
def logging_kept() -> Iterator[None]:
    """No script's log handlers remain for the tests of others."""
    with kept_logging():
        yield


@pytest.fixture
def dump_tools(database_url: str) -> list[str]:
    """The programs of the server's own vendor; without them no backup can be tested."""
    engine = create_engine(database_url)
    server = vendor.vendor_of(engine)
    engine.dispose()
    try:
        return [vendor.program(names, server) for names in (vendor.DUMPERS, vendor.CLIENTS)]
    except BackupError as missing:
        pytest.skip(str(missing))
