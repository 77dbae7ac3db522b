"""Members of a project, with whom its owner shares it: the mapped class, its record, its queries.

An editor may make tokens that write, a viewer those that do not. A member's own tokens are in
`ar_targets.models.token`, as ``created_by``; what changes a membership and its tokens together
is in `ar_targets.models.membership`.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    bindparam,
    select,
    true,
)
from sqlalchemy.dialects.mysql import BIGINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .. import clock
from ..db.base import TABLE_OPTIONS, Base
from ..db.session import Database
from .change import remove as remove_row
from .noun import Audited, Owned
from .user import User

# Role → the accesses that no token of its own may have; it may have any other.
DENIED: dict[str, frozenset[str]] = {"editor": frozenset(), "viewer": frozenset({"write"})}
ROLES = tuple(DENIED)


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
    # By its name: that module needs this one.
    project: Mapped[Any] = relationship("Project", viewonly=True, lazy="raise")
    user: Mapped[User] = relationship(viewonly=True, lazy="raise")

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """Always true: a membership that has ended has no row."""
        return true()


class MemberRecord(NamedTuple):
    """A membership as read from the database, with the live user's login."""

    row_id: int
    project_id: int
    user_id: int
    login: str
    role: str
    revision: int
    user_revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> int:
        """The id by which clients know it, and the order of lists: the user's."""
        return self.user_id

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes; a new login changes the user's row alone."""
        return f"{self.row_id}-{self.revision}-{self.user_revision}"


_ALL = (
    select(
        Member.id,
        Member.project_id,
        Member.user_id,
        User.login,
        Member.role,
        Member.revision,
        User.revision,
        Member.created_at,
        Member.updated_at,
    )
    .select_from(Member)
    .join(User, User.id == Member.user_id)
    .where(Member.project_id == bindparam("project_id"), User.alive())
)
_FIND = _ALL.where(Member.user_id == bindparam("user_id"))
_PAGE = (
    _ALL.prefix_with("STRAIGHT_JOIN")
    .with_hint(Member, "FORCE INDEX (uq_member_project_id_user_id)")
    .where(Member.user_id > bindparam("after"))
    .order_by(Member.user_id)
    .limit(bindparam("count"))
)
# By the index by which creating a token finds the row. By its id, the row itself would be locked
# before its place in the index: a deadlock.
_LOCK = (
    select(Member.id, Member.project_id, Member.user_id, Member.role, Member.revision)
    .with_hint(Member, "FORCE INDEX (uq_member_project_id_user_id)")
    .where(Member.project_id == bindparam("project_id"), Member.user_id == bindparam("user_id"))
    .with_for_update()
)


def role_allows(role: str, access: str) -> bool:
    """Whether a member with that role may have a token with that access."""
    return access not in DENIED[role]


def roles_allowing(access: str) -> list[str]:
    """The roles whose members may have a token with that access."""
    return [role for role in ROLES if role_allows(role, access)]


def find(db: Database, project_id: int, user_id: int) -> MemberRecord | None:
    """The membership of a live user in a project."""
    rows = db.read(_FIND, project_id=project_id, user_id=user_id)
    return MemberRecord._make(rows[0]) if rows else None


def page(db: Database, project_id: int, after: int, count: int) -> list[MemberRecord]:
    """Up to ``count`` members of a project past the user's id ``after``."""
    rows = db.read(_PAGE, project_id=project_id, after=after, count=count)
    return [MemberRecord._make(row) for row in rows]


def remove(db: Database, project_id: int, user_id: int, revision: int | None = None) -> bool:
    """Delete a membership; False where there is none, or its revision is not the given one.

    What it was for, the caller ends as well: `ar_targets.models.membership`.
    """
    row = db.write(_LOCK, project_id=project_id, user_id=user_id).one_or_none()
    if row is None or (revision is not None and row.revision != revision):
        return False
    remove_row(db, Member, row.id, clock.now(), row._asdict())
    return True
