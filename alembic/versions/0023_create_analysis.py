"""Create the table of what is known about targets' pictures.

Created: 2026-11-29 01:30:00.000000
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The indexes are part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE analysis ("
        "target_id BIGINT NOT NULL, "
        "project_id BIGINT NOT NULL, "
        "sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "version INTEGER UNSIGNED NOT NULL, "
        "status VARCHAR(7) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "queued_at DATETIME(6) NOT NULL, "
        "tries INTEGER UNSIGNED NOT NULL DEFAULT 0, "
        "lease CHAR(32) CHARACTER SET ascii COLLATE ascii_bin, "
        "leased_until DATETIME(6), "
        "analysed_at DATETIME(6), "
        "trackability INTEGER UNSIGNED, "
        "rating INTEGER UNSIGNED, "
        "rating_order INTEGER UNSIGNED, "
        "features INTEGER UNSIGNED, "
        "problems TEXT, "
        "heatmap BLOB, "
        "CONSTRAINT pk_analysis PRIMARY KEY (target_id), "
        "INDEX ix_analysis_status_queued_at_target_id (status, queued_at, target_id), "
        "INDEX ix_analysis_version_target_id (version, target_id), "
        "INDEX ix_analysis_project_id_status_target_id (project_id, status, target_id), "
        "INDEX ix_analysis_project_id_rating_order_target_id "
        "(project_id, rating_order, target_id), "
        "CONSTRAINT fk_analysis_target_id_target "
        "FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("analysis")
