"""Create the table of the features of targets' pictures.

Created: 2026-11-29 01:31:00.000000
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The indexes are part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE feature_set ("
        "target_id BIGINT NOT NULL, "
        "project_id BIGINT NOT NULL, "
        "version INTEGER UNSIGNED NOT NULL, "
        "revision BIGINT NOT NULL, "
        "sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "data MEDIUMBLOB NOT NULL, "
        "CONSTRAINT pk_feature_set PRIMARY KEY (target_id), "
        "INDEX ix_feature_set_project_id_version_revision (project_id, version, revision), "
        "CONSTRAINT fk_feature_set_target_id_target "
        "FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("feature_set")
