"""Create the table that numbers the changes of each project's features.

Created: 2026-11-29 01:32:00.000000
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The indexes are part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE feature_revision ("
        "project_id BIGINT NOT NULL, "
        "revision BIGINT NOT NULL, "
        "CONSTRAINT pk_feature_revision PRIMARY KEY (project_id), "
        "CONSTRAINT fk_feature_revision_project_id_project "
        "FOREIGN KEY (project_id) REFERENCES project (id) ON DELETE CASCADE"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("feature_revision")
