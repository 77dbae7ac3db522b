"""Create the table of the audit trail.

Revises: 0002
Created: 2026-11-23 13:00:00.000000
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
    "mysql_row_format": "DYNAMIC",
}


def ascii_text(length: int) -> mysql.VARCHAR:
    """The type of a column for the application's own ASCII identifiers."""
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def upgrade() -> None:
    """Apply the migration."""
    op.create_table(
        "audit",
        sa.Column("id", mysql.BIGINT(), autoincrement=True, nullable=False),
        sa.Column("at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("actor", ascii_text(32), nullable=False),
        sa.Column("via", ascii_text(8), nullable=False),
        sa.Column("address", mysql.VARCHAR(length=64), nullable=True),
        sa.Column("request_id", mysql.VARCHAR(length=128), nullable=True),
        sa.Column("action", ascii_text(16), nullable=False),
        sa.Column("noun", ascii_text(16), nullable=False),
        sa.Column("row_id", mysql.BIGINT(), nullable=False),
        sa.Column("details", mysql.VARCHAR(length=4000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_noun_row_id_id", "audit", ["noun", "row_id", "id"], unique=False)
    op.create_index("ix_audit_actor_id", "audit", ["actor", "id"], unique=False)


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("audit")
