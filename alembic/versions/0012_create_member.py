"""Create the table of projects' members.

Created: 2026-11-28 18:50:00.000000
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The indexes are part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE member ("
        "id BIGINT NOT NULL AUTO_INCREMENT, "
        "project_id BIGINT NOT NULL, "
        "user_id BIGINT NOT NULL, "
        "role VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "revision INTEGER UNSIGNED NOT NULL DEFAULT 1, "
        "created_at DATETIME(6) NOT NULL, "
        "updated_at DATETIME(6) NOT NULL, "
        "CONSTRAINT pk_member PRIMARY KEY (id), "
        "CONSTRAINT ck_member_role CHECK (role IN ('editor', 'viewer')), "
        "CONSTRAINT fk_member_project_id_project FOREIGN KEY (project_id) REFERENCES project (id), "
        "CONSTRAINT fk_member_user_id_user FOREIGN KEY (user_id) REFERENCES user (id) "
        "ON DELETE CASCADE, "
        "UNIQUE INDEX uq_member_project_id_user_id (project_id, user_id), "
        "INDEX ix_member_user_id_project_id (user_id, project_id)"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("member")
