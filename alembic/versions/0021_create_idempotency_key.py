"""Create the table of the keys with which a repeated creation is recognised.

Created: 2026-11-28 22:20:00.000000
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # The index is part of the one statement, which op.create_index would not be.
    op.execute(
        "CREATE TABLE idempotency_key ("
        "id BINARY(32) NOT NULL, "
        "fingerprint BINARY(32) NOT NULL, "
        "answer MEDIUMBLOB, "
        "expires_at DATETIME(6) NOT NULL, "
        "CONSTRAINT pk_idempotency_key PRIMARY KEY (id), "
        "INDEX ix_idempotency_key_expires_at (expires_at)"
        ") ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.drop_table("idempotency_key")
