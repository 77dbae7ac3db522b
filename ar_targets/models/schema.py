"""The migration that the database is at."""

from typing import cast

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from ..db.session import Database
from . import SCHEMA_REVISION


def schema_revision(db: Database) -> str | None:
    """The revision of the last migration; None before the first."""
    try:
        rows = db.read(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        return None
    return cast("str", rows[0][0]) if rows else None


def fits(found: str | None) -> bool:
    """Whether this version works on a schema: on its own, and on a later one.

    An upgrade migrates first and replaces the servers then, one after the other; the migrations of
    the next release only add. Revisions are numbers of four digits.
    """
    return found is not None and found >= SCHEMA_REVISION
