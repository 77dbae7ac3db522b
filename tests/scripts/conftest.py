"""What tests of several scripts need."""

import pytest
from sqlalchemy import create_engine

from ar_targets.backup import vendor
from ar_targets.backup.manifest import BackupError


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
