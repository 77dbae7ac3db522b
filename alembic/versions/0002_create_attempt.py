"""Create the table that counts login attempts.

Revises: 0001
Created: 2026-11-23 12:40:00.000000
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    """Apply the migration."""
    op.create_table(
        "attempt",
        sa.Column("id", sa.BINARY(length=32), nullable=False),
        sa.Column("moments", mysql.MEDIUMBLOB(), nullable=False),
        sa.Column("refused", mysql.INTEGER(unsigned=True), server_default="0", nullable=False),
        sa.Column("expires_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_attempt_expires_at", "attempt", ["expires_at"], unique=False)


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("attempt")
