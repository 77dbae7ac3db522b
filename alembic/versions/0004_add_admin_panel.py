"""Add what the admin panel needs: its sessions, thumbnails, and indexes to search and sort by.

Created: 2026-11-23 12:30:00.000000
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
    "mysql_row_format": "DYNAMIC",
}
INDEXES = {
    "ix_user_deleted_at_login_id": ("user", ["deleted_at", "login", "id"]),
    "ix_user_is_admin_deleted_at_id": ("user", ["is_admin", "deleted_at", "id"]),
    "ix_project_deleted_at_name_id": ("project", ["deleted_at", "name", "id"]),
    "ix_project_owner_id_deleted_at_name_id": (
        "project",
        ["owner_id", "deleted_at", "name", "id"],
    ),
    "ix_target_deleted_at_created_at_size": ("target", ["deleted_at", "created_at", "size"]),
}


def upgrade() -> None:
    """Apply the migration."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns, unique=False)
    op.create_table(
        "admin_session",
        sa.Column("id", sa.BINARY(length=32), nullable=False),
        sa.Column("user_id", mysql.BIGINT(), nullable=False),
        sa.Column("password_version", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("expires_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_admin_session_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_session")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_admin_session_expires_at", "admin_session", ["expires_at"], unique=False)
    op.create_index("ix_admin_session_user_id", "admin_session", ["user_id"], unique=False)
    op.create_table(
        "thumbnail",
        sa.Column("target_id", mysql.BIGINT(), autoincrement=False, nullable=False),
        sa.Column(
            "sha256", mysql.CHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False
        ),
        sa.Column("picture", mysql.MEDIUMBLOB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"],
            ["target.id"],
            name=op.f("fk_thumbnail_target_id_target"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("target_id", name=op.f("pk_thumbnail")),
        **TABLE_OPTIONS,
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("thumbnail")
    op.drop_table("admin_session")
    for name, (table, _) in reversed(INDEXES.items()):
        op.drop_index(name, table_name=table)
