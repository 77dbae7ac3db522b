"""Create the table of the numbers of requests in the last hours.

Created: 2026-11-28 19:55:00.000000
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The index is part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE request_count ("
        "id BIGINT NOT NULL, "
        "hour DATETIME(6) NOT NULL, "
        "status INTEGER UNSIGNED NOT NULL, "
        "duration INTEGER UNSIGNED NOT NULL, "
        "number BIGINT NOT NULL, "
        "expires_at DATETIME(6) NOT NULL, "
        "CONSTRAINT pk_request_count PRIMARY KEY (id), "
        "INDEX ix_request_count_expires_at (expires_at)"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("request_count")
