"""Migrations: up, down, up again, and equal to the models."""

import re
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect, text

from alembic import command
from ar_targets.models import SCHEMA_REVISION, Base

from ..conftest import INI
from ..throwaway import on_server_of


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to an empty database."""
    with on_server_of(database_url) as url:
        engine = create_engine(url)
        with engine.connect() as made:
            yield made
        engine.dispose()


def migrate(connection: Connection, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(INI.parent / "alembic"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)
    connection.commit()


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def test_up_down_up(connection):
    migrate(connection, "upgrade", "head")
    assert differences(connection) == []
    migrate(connection, "downgrade", "base")
    assert inspect(connection).get_table_names() == ["alembic_version"]
    migrate(connection, "upgrade", "head")
    assert differences(connection) == []


def test_each_migration_is_one_statement(connection):
    """One that was interrupted has changed nothing, and can be repeated."""
    migrate(connection, "upgrade", "0005")
    scripts = ScriptDirectory(str(INI.parent / "alembic"))
    later = [script.revision for script in scripts.walk_revisions("0005", "head")][-2::-1]
    assert later[0] == "0006"
    sent = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if re.match(r"\s*(ALTER|CREATE|DROP|INSERT|UPDATE(?! alembic_version))", statement):
            sent.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    for revision in later:
        sent.clear()
        migrate(connection, "upgrade", revision)
        assert len(sent) == 1, (revision, sent)
        if sent[0].startswith("ALTER"):
            assert re.search("ALGORITHM=(INSTANT|INPLACE, LOCK=NONE)$", sent[0])


def test_the_comparison_can_fail(connection):
    migrate(connection, "upgrade", "head")
    connection.execute(text("ALTER TABLE token DROP INDEX ix_token_expires_at"))
    assert differences(connection) != []


def test_the_models_name_the_head():
    scripts = ScriptDirectory(str(INI.parent / "alembic"))
    assert scripts.get_heads() == [SCHEMA_REVISION]


def test_later_revisions_have_larger_numbers():
    """By them a server tells a schema that is newer than itself from one that is older."""
    scripts = ScriptDirectory(str(INI.parent / "alembic"))
    found = [script.revision for script in scripts.walk_revisions()][::-1]
    assert found == [f"{number:04}" for number in range(1, len(found) + 1)]


def test_tables_are_as_we_need_them(connection):
    migrate(connection, "upgrade", "head")
    rows = connection.execute(
        text(
            "SELECT table_name, engine, table_collation FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name != 'alembic_version'"
        )
    )
    assert {tuple(row) for row in rows} == {
        (name, "InnoDB", "utf8mb4_unicode_ci") for name in Base.metadata.tables
    }


def test_constraints_have_names_of_ours(connection):
    migrate(connection, "upgrade", "head")
    inspector = inspect(connection)
    for table in Base.metadata.tables:
        names = [key["name"] for key in inspector.get_foreign_keys(table)]
        names += [index["name"] for index in inspector.get_indexes(table)]
        assert all(
            name.startswith((f"fk_{table}_", f"ix_{table}_", f"uq_{table}_")) for name in names
        )
