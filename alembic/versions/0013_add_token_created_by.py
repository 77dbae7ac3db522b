"""Add to tokens the member who made them; instant on both servers.

Created: 2026-11-28 18:51:00.000000
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute("ALTER TABLE token ADD COLUMN created_by BIGINT, ALGORITHM=INSTANT")


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE token DROP COLUMN created_by")
