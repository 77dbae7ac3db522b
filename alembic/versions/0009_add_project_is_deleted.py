"""Add a generated column to projects: whether they are deleted.

Created: 2026-11-28 14:53:00.000000
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE project "
        "ADD COLUMN is_deleted BOOL AS (deleted_at IS NOT NULL) VIRTUAL, ALGORITHM=INSTANT"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE project DROP COLUMN is_deleted")
