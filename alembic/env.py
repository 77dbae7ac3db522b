"""Runs the migrations on the connection that ``ar_targets_initdb`` passes.

When it is run by hand (``alembic -c development.ini revision --autogenerate``), it
connects to the database as the application does.
"""

from sqlalchemy import Connection

from alembic import context
from ar_targets.models import Base
from ar_targets.scripts.command import engine_of


def migrate(connection: Connection) -> None:
    """Run the requested migrations."""
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("give the migrations a database: run them without --sql")
given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with engine_of(str(context.config.config_file_name)).connect() as own:
        migrate(own)
