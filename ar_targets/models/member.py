"""Members of a project, with whom its owner shares it: the mapped class, its record, its queries.

An editor may make tokens that write, a viewer those that do not. A member's own tokens are in
`ar_targets.models.token`, as ``created_by``.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.mysql import BIGINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from .noun import Audited, Owned

ROLES = ("editor", "viewer")


class Member(Audited, Owned, Base):
    """A user with whom a project is shared, and the role in it.

    The row stays when the project or the user is deleted, for a restore: every statement checks
    that both are live.
    """

    __tablename__ = "member"
    plural = "members"
    label = "role"
    audited = ("project_id", "user_id", "role")
    parent_key = "project_id"
    __table_args__ = (
        CheckConstraint("role IN ('editor', 'viewer')", name="role"),
        Index("uq_member_project_id_user_id", "project_id", "user_id", unique=True),
        # For the projects that are shared with a user.
        Index("ix_member_user_id_project_id", "user_id", "project_id"),
        TABLE_OPTIONS,
    )

    project_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("project.id"))
    user_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("user.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(VARCHAR(6, charset="ascii", collation="ascii_bin"))


class MemberRecord(NamedTuple):
    """A membership as read from the database, with the live user's login."""

    id: int
    project_id: int
    user_id: int
    login: str
    role: str
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes."""
        return f"{self.id}-{self.revision}"
