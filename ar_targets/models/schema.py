"""The migration that the database is at."""

from typing import cast

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from ..db.session import Database


def schema_revision(db: Database) -> str | None:
    """The revision of the last migration; None before the first."""
    try:
        rows = db.read(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        return None
    return cast("str", rows[0][0]) if rows else None
