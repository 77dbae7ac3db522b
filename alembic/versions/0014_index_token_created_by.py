"""Add the index of members' own tokens.

Online: requests read and write while it is built.

Created: 2026-11-28 18:52:00.000000
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE token "
        "ADD INDEX ix_token_created_by_project_id_id (created_by, project_id, id), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE token DROP INDEX ix_token_created_by_project_id_id")
