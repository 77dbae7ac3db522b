"""Create the table that stores how many rows the purges have removed.

Revises: 0004
Created: 2026-11-23 13:10:00.000000
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0005"
down_revision = "0004"
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
        "purge_result",
        sa.Column(
            "kind",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64),
            nullable=False,
        ),
        sa.Column("removed", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("finished_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_purge_result")),
        **TABLE_OPTIONS,
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("purge_result")
