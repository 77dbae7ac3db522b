"""A database that lives as long as a test run."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError

from ar_targets.development.database import PrivateDatabase

# MySQL's names have at most 64 characters; "_test_" and eight digits come behind.
NAME_SHOWN = 50


@contextmanager
def on_private_server() -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    with (
        tempfile.TemporaryDirectory() as directory,
        PrivateDatabase(Path(directory) / "database", durable=False) as server,
    ):
        server.create_database("ar_targets_test")
        yield server.url("ar_targets_test")


@contextmanager
def on_server_of(named: str) -> Iterator[str]:
    """The URL of an empty database on the server of another one, which is left alone."""
    url = make_url(named)
    name = f"{(url.database or 'ar_targets')[:NAME_SHOWN]}_test_{secrets.token_hex(4)}"
    engine = create_engine(url._replace(database=None), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    except DBAPIError as error:
        pytest.exit(
            f"The tests cannot make a database of their own on {url!r}: {error.orig}. Grant the "
            f"user the right to (GRANT ALL ON `{name.rpartition('_')[0]}_%`.* TO …), or unset "
            "AR_TARGETS_TEST_DATABASE_URL and AR_TARGETS_DATABASE_URL to test on a private server.",
            returncode=pytest.ExitCode.USAGE_ERROR,
        )
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE `{name}`")
        engine.dispose()
