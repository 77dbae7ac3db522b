"""Add the project to the index of the dashboard's sums, which then covers those by project.

It keeps its name, by which version 0.1.0 asks for it. Online: requests read and write while it is
built.

Created: 2026-11-28 20:00:00.000000
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME = "ix_target_deleted_at_created_at_size"


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        f"ALTER TABLE target DROP INDEX {NAME}, "
        f"ADD INDEX {NAME} (deleted_at, created_at, size, project_id), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute(
        f"ALTER TABLE target DROP INDEX {NAME}, ADD INDEX {NAME} (deleted_at, created_at, size)"
    )
