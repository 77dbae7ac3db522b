"""Add the index of the dashboard's sums over image targets, by project.

It covers what is summed: of a user's few projects no other target is read, and of all projects the
sums need no temporary table. Online: requests read and write while it is built.

Created: 2026-11-28 20:20:00.000000
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME = "ix_target_project_id_deleted_at_created_at_size"


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        f"ALTER TABLE target ADD INDEX {NAME} (project_id, deleted_at, created_at, size), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute(f"ALTER TABLE target DROP INDEX {NAME}")
