"""Create the table of one-time links for a forgotten password.

Created: 2026-11-28 20:10:00.000000
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The indexes are part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE password_link ("
        "id BINARY(32) NOT NULL, "
        "user_id BIGINT NOT NULL, "
        "password_version INTEGER UNSIGNED NOT NULL, "
        "created_at DATETIME(6) NOT NULL, "
        "expires_at DATETIME(6) NOT NULL, "
        "CONSTRAINT pk_password_link PRIMARY KEY (id), "
        "CONSTRAINT fk_password_link_user_id_user FOREIGN KEY (user_id) REFERENCES user (id) "
        "ON DELETE CASCADE, "
        "UNIQUE INDEX uq_password_link_user_id (user_id), "
        "INDEX ix_password_link_expires_at (expires_at)"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("password_link")
