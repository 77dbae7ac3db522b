"""Create the table that stores how the last backups ended.

Created: 2026-11-28 16:25:00.000000
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0011"
down_revision = "0010"
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
        "backup_result",
        sa.Column(
            "outcome",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16),
            nullable=False,
        ),
        sa.Column("finished_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("seconds", mysql.DOUBLE(), nullable=False),
        sa.Column("size", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("outcome", name=op.f("pk_backup_result")),
        **TABLE_OPTIONS,
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("backup_result")
