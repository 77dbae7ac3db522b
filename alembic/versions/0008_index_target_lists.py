"""Add the indexes of the lists of image targets, and unique names.

Online: requests read and write while they are built, in one pass over the table.

Created: 2026-11-28 14:52:00.000000
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    op.execute(
        "ALTER TABLE target "
        "ADD INDEX ix_target_project_id_is_deleted_id (project_id, is_deleted, id), "
        "ADD INDEX ix_target_project_id_is_deleted_name_key_id "
        "(project_id, is_deleted, name_key, id), "
        "ADD INDEX ix_target_project_id_is_deleted_sha256_id (project_id, is_deleted, sha256, id), "
        "ADD UNIQUE INDEX uq_target_live_name_key (project_id, live_name_key), "
        "ALGORITHM=INPLACE, LOCK=NONE"
    )


def downgrade() -> None:
    """Revert the migration."""
    op.execute(
        "ALTER TABLE target DROP INDEX ix_target_project_id_is_deleted_id, "
        "DROP INDEX ix_target_project_id_is_deleted_name_key_id, "
        "DROP INDEX ix_target_project_id_is_deleted_sha256_id, "
        "DROP INDEX uq_target_live_name_key"
    )
