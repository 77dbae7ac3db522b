"""Add generated columns to image targets, for indexes: the name while it is live, and deleted.

Virtual ones are instant, but not together with other columns.

Created: 2026-11-28 14:51:00.000000
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE target ADD COLUMN live_name_key VARBINARY(3040) "
        "AS (CASE WHEN deleted_at IS NULL THEN name_key END) VIRTUAL, "
        "ADD COLUMN is_deleted BOOL AS (deleted_at IS NOT NULL) VIRTUAL, "
        "ALGORITHM=INSTANT"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE target DROP COLUMN live_name_key, DROP COLUMN is_deleted")
