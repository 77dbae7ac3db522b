"""Add the index of all projects' targets by name.

Online: requests read and write while it is built.

Created: 2026-11-28 19:27:00.000000
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE target "
        "ADD INDEX ix_target_is_deleted_name_key_id (is_deleted, name_key, id), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE target DROP INDEX ix_target_is_deleted_name_key_id")
