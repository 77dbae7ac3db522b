"""Add the index of the list of a user's deleted projects.

Created: 2026-11-28 14:54:00.000000
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE project "
        "ADD INDEX ix_project_owner_id_is_deleted_id (owner_id, is_deleted, id), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE project DROP INDEX ix_project_owner_id_is_deleted_id")
