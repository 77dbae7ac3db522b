"""Add the index of the audit trail's entries by action.

Online: requests read and write while it is built.

Created: 2026-11-28 19:25:00.000000
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE audit ADD INDEX ix_audit_action_id (action, id), ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute("ALTER TABLE audit DROP INDEX ix_audit_action_id")
