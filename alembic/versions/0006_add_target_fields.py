"""Add what AR needs to image targets: name, physical width, active, metadata.

Instant on both servers, and the only statement, as in the migrations after it: one that is
interrupted can be repeated.

Created: 2026-11-28 14:50:00.000000
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE target ADD COLUMN name VARCHAR(255), "
        "ADD COLUMN name_key VARBINARY(3040), "
        "ADD COLUMN physical_width DOUBLE, "
        "ADD COLUMN active BOOL NOT NULL DEFAULT 1, "
        "ADD COLUMN metadata MEDIUMTEXT, "
        "ADD COLUMN metadata_size INTEGER UNSIGNED NOT NULL DEFAULT 0, "
        "ALGORITHM=INSTANT"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute(
        "ALTER TABLE target DROP COLUMN name, DROP COLUMN name_key, "
        "DROP COLUMN physical_width, DROP COLUMN active, "
        "DROP COLUMN metadata, DROP COLUMN metadata_size"
    )
