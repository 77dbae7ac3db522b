"""Add the index of tokens by access, in the order in which they expire.

Online: requests read and write while it is built.

Created: 2026-11-28 19:26:00.000000
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE token ADD INDEX ix_token_access_expires_at (access, expires_at), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE token DROP INDEX ix_token_access_expires_at")
