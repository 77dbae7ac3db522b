"""``/health/live`` and ``/health/ready``; without a database: ``test_database_away``."""

import pytest

from ar_targets.models import SCHEMA_REVISION


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_all_is_well(app, path, method):
    answer = app.call(method, path, status=200)
    if method == "GET":
        assert answer.json["status"] == "ok"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_they_can_only_be_asked(app, path, method):
    app.call(method, path, status=405)


@pytest.fixture
def execute(stage):
    """Executes a statement and commits."""

    def run(statement):
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    return run


def test_a_later_schema_is_ready(app, execute):
    """In a rolling upgrade the schema comes first; servers of the version before work on."""
    later = f"{int(SCHEMA_REVISION) + 1:04}"
    execute(f"UPDATE alembic_version SET version_num = '{later}'")
    try:
        assert app.get("/health/ready", status=200).json["schema"] == later
        assert app.get("/").json["ready"] is True
    finally:
        execute(f"UPDATE alembic_version SET version_num = '{SCHEMA_REVISION}'")


def test_an_earlier_schema_is_not_ready(app, execute):
    execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        refused = app.get("/health/ready", status=503)
        app.get("/health/live", status=200)
        assert app.get("/").json["ready"] is False
    finally:
        execute(f"UPDATE alembic_version SET version_num = '{SCHEMA_REVISION}'")
    assert "0000" in refused.json["errors"][0]["description"]
    assert "ar_targets_initdb" in refused.json["errors"][0]["description"]
    app.get("/health/ready", status=200)


def test_a_database_that_was_never_migrated_is_not_ready(app, execute):
    execute("RENAME TABLE alembic_version TO away")
    try:
        app.get("/health/ready", status=503)
        app.get("/health/live", status=200)
    finally:
        execute("RENAME TABLE away TO alembic_version")
    app.get("/health/ready", status=200)


def test_a_migration_that_is_under_way_is_not_ready(app, execute):
    execute("DELETE FROM alembic_version")
    try:
        app.get("/health/ready", status=503)
    finally:
        execute(f"INSERT INTO alembic_version VALUES ('{SCHEMA_REVISION}')")
    app.get("/health/ready", status=200)
