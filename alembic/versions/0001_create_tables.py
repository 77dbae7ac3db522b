"""Create users, projects, tokens and targets.

Created: 2026-11-23 06:43:41.810015
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0001"
down_revision = None
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
        "user",
        sa.Column("id", mysql.BIGINT(), autoincrement=True, nullable=False),
        sa.Column("login", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("login_key", sa.BINARY(length=32), nullable=False),
        sa.Column(
            "live_login_key",
            sa.BINARY(length=32),
            sa.Computed("CASE WHEN deleted_at IS NULL THEN login_key END", persisted=False),
            nullable=True,
        ),
        sa.Column(
            "password_hash",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=255),
            nullable=False,
        ),
        sa.Column(
            "password_version", mysql.INTEGER(unsigned=True), server_default="1", nullable=False
        ),
        sa.Column("is_admin", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("revision", mysql.INTEGER(unsigned=True), server_default="1", nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("deleted_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("purged_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_user_deleted_at_id", "user", ["deleted_at", "id"], unique=False)
    op.create_index("uq_user_live_login_key", "user", ["live_login_key"], unique=True)
    op.create_table(
        "project",
        sa.Column("id", mysql.BIGINT(), autoincrement=True, nullable=False),
        sa.Column("owner_id", mysql.BIGINT(), nullable=False),
        sa.Column("name", mysql.VARCHAR(length=255), nullable=False),
        sa.Column("name_key", sa.BINARY(length=32), nullable=False),
        sa.Column(
            "live_name_key",
            sa.BINARY(length=32),
            sa.Computed("CASE WHEN deleted_at IS NULL THEN name_key END", persisted=False),
            nullable=True,
        ),
        sa.Column("deleted_with_owner", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("revision", mysql.INTEGER(unsigned=True), server_default="1", nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("deleted_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("purged_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_project_owner_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_project_deleted_at_id", "project", ["deleted_at", "id"], unique=False)
    op.create_index(
        "ix_project_owner_id_deleted_at_id",
        "project",
        ["owner_id", "deleted_at", "id"],
        unique=False,
    )
    op.create_index("uq_project_live_name_key", "project", ["live_name_key"], unique=True)
    op.create_table(
        "target",
        sa.Column("id", mysql.BIGINT(), autoincrement=True, nullable=False),
        sa.Column("project_id", mysql.BIGINT(), nullable=False),
        sa.Column("description", mysql.TEXT(), nullable=False),
        sa.Column("width", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("height", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("size", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column(
            "sha256", mysql.CHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False
        ),
        sa.Column("image", mysql.LONGBLOB(), nullable=False),
        sa.Column("revision", mysql.INTEGER(unsigned=True), server_default="1", nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("deleted_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_target_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_target_deleted_at_id", "target", ["deleted_at", "id"], unique=False)
    op.create_index(
        "ix_target_project_id_deleted_at_id",
        "target",
        ["project_id", "deleted_at", "id"],
        unique=False,
    )
    op.create_table(
        "token",
        sa.Column("id", mysql.BIGINT(), autoincrement=True, nullable=False),
        sa.Column("project_id", mysql.BIGINT(), nullable=False),
        sa.Column(
            "jti", mysql.CHAR(charset="ascii", collation="ascii_bin", length=32), nullable=False
        ),
        sa.Column(
            "access",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=5),
            nullable=False,
        ),
        sa.Column("description", mysql.VARCHAR(length=255), nullable=False),
        sa.Column("ttl", mysql.BIGINT(), nullable=False),
        sa.Column("revision", mysql.INTEGER(unsigned=True), server_default="1", nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("expires_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("revoked_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.CheckConstraint("access IN ('read', 'write')", name=op.f("ck_token_access")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_token_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        **TABLE_OPTIONS,
    )
    op.create_index("ix_token_expires_at", "token", ["expires_at"], unique=False)
    op.create_index("ix_token_project_id_id", "token", ["project_id", "id"], unique=False)
    op.create_index("ix_token_revoked_at", "token", ["revoked_at"], unique=False)
    op.create_index("uq_token_jti", "token", ["jti"], unique=True)


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("token")
    op.drop_table("target")
    op.drop_table("project")
    op.drop_table("user")
