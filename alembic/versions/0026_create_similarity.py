"""Create the table of pairs of targets that resemble each other.

Created: 2026-11-29 01:33:00.000000
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The indexes are part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE similarity ("
        "target_id BIGINT NOT NULL, "
        "other_id BIGINT NOT NULL, "
        "value DOUBLE NOT NULL, "
        "CONSTRAINT pk_similarity PRIMARY KEY (target_id, other_id), "
        "INDEX ix_similarity_other_id (other_id), "
        "CONSTRAINT fk_similarity_target_id_target "
        "FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE, "
        "CONSTRAINT fk_similarity_other_id_target "
        "FOREIGN KEY (other_id) REFERENCES target (id) ON DELETE CASCADE"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("similarity")
