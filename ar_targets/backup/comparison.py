"""Compare a restored database with the manifest of its backup, and with itself."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, inspect, text

from .manifest import Manifest
from .restore import quoted

# A NULL would compare as neither equal nor different.
WRONG_IMAGES = (
    "SELECT COUNT(*) FROM target WHERE image IS NULL OR size <> LENGTH(image) "
    "OR sha256 <> CONVERT(SHA2(image, 256) USING ascii)"
)


def differences(engine: Engine, manifest: Manifest) -> list[str]:
    """A line for each difference: rows of tables, images, the revision, references."""
    with engine.connect() as connection:
        found = list(counted(connection, manifest))
        if not found:
            found += [*images(connection), *revisions(connection, manifest), *orphans(connection)]
    return found


def counted(connection: Connection, manifest: Manifest) -> Iterator[str]:
    """Tables that are missing, too many, or of another number of rows."""
    tables = set(inspect(connection).get_table_names())
    for table in sorted(tables | manifest.rows.keys()):
        if table not in tables:
            yield f"there is no table {table}"
        elif table not in manifest.rows:
            yield f"the backup has no table {table}"
        else:
            number = connection.scalar(text(f"SELECT COUNT(*) FROM {quoted(table)}"))  # noqa: S608
            if number != manifest.rows[table]:
                yield f"{table} has {number} rows, and {manifest.rows[table]} in the backup"


def images(connection: Connection) -> Iterator[str]:
    """Images that are not what their checksums say."""
    if wrong := connection.scalar(text(WRONG_IMAGES)):
        yield f"{wrong} images are not what their checksums say"


def revisions(connection: Connection, manifest: Manifest) -> Iterator[str]:
    """Another schema than the manifest's."""
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found != manifest.schema_revision:
        yield f"the schema is at {found}, and at {manifest.schema_revision} in the backup"


def orphans(connection: Connection) -> Iterator[str]:
    """Rows that refer to rows which are not there: loading a dump does not check that."""
    inspector = inspect(connection)
    for table in inspector.get_table_names():
        for key in inspector.get_foreign_keys(table):
            pairs = zip(key["constrained_columns"], key["referred_columns"], strict=True)
            joined = " AND ".join(
                f"child.{quoted(here)} = parent.{quoted(there)}" for here, there in pairs
            )
            named = " AND ".join(
                f"child.{quoted(column)} IS NOT NULL" for column in key["constrained_columns"]
            )
            number = connection.scalar(
                text(
                    f"SELECT COUNT(*) FROM {quoted(table)} child WHERE {named} AND NOT EXISTS "  # noqa: S608
                    f"(SELECT 1 FROM {quoted(key['referred_table'])} parent WHERE {joined})"
                )
            )
            if number:
                yield f"{number} rows of {table} refer to a {key['referred_table']} that is missing"
