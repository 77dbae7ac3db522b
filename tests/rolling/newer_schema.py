"""A plugin for the tests of the last release: their database gets the schema of this checkout.

What it knows of them is the fixture ``database_url``, whose database has their own schema, and
that ``Base.metadata`` has their tables.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import ar_targets
from ar_targets.models import Base

HERE = Path(__file__).parents[2]
KEY = "migrations-need-no-key-but-settings-do"


@pytest.fixture(scope="session", autouse=True)
def newer_schema(database_url: str, request: pytest.FixtureRequest) -> None:
    """Run this checkout's ``ar_targets_initdb``, as an upgrade does beside servers that work."""
    # The code under test is the last release's.
    assert Path(ar_targets.__file__).is_relative_to(request.config.rootpath)
    done = subprocess.run(
        [sys.executable, "-m", "ar_targets.scripts.initdb", "development.ini"],
        cwd=HERE,
        env=os.environ
        | {
            "PYTHONPATH": str(HERE),
            "AR_TARGETS_DATABASE_URL": database_url,
            "AR_TARGETS_JWT_KEYS": KEY,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = f"the schema is at {os.environ['NEWER_SCHEMA']}\n"
    assert (done.returncode, done.stdout) == (0, wanted), done.stderr
    gone = missing(database_url)
    assert not gone, f"the last release's models name what the schema has no more: {gone}"


def missing(url: str) -> list[object]:
    """Tables, columns and indexes of these models that the database does not have.

    An index is missed where a statement names it, which no test may happen to send.
    """
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    return [one for one in found if isinstance(one, tuple) and one[0].startswith("add_")]
