"""Add the index with which a project's targets are counted and their bytes summed up.

It covers both: no row is read. What is deleted counts, so `deleted_at` is no part of it. Online:
requests read and write while it is built.

Created: 2026-11-28 22:35:00.000000
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NAME = "ix_target_project_id_size_metadata_size"


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        f"ALTER TABLE target ADD INDEX {NAME} (project_id, size, metadata_size), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute(f"ALTER TABLE target DROP INDEX {NAME}")
