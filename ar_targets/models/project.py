"""Projects, which hold a user's image targets: the mapped class, its record and its queries."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Computed, ForeignKey, Index, bindparam, select, update
from sqlalchemy.dialects.mysql import BIGINT, BINARY, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .. import clock
from ..db.base import TABLE_OPTIONS, Base, fold
from ..db.session import Database
from . import member as members
from .change import change_record, create_below, lock_live
from .member import Member
from .noun import (
    Audited,
    DeletedWithParent,
    Purgeable,
    Restorable,
    RevokedWithCreator,
    children,
)
from .user import User

NAME_MAX = 255


class Project(Audited, Purgeable, DeletedWithParent, Restorable, Base):
    """One AR application's set of targets and tokens."""

    __tablename__ = "project"
    plural = "projects"
    label = "name"
    audited = ("name", "owner_id")
    parent_key = "owner_id"
    __table_args__ = (
        Index("uq_project_live_name_key", "live_name_key", unique=True),
        Index("ix_project_owner_id_deleted_at_id", "owner_id", "deleted_at", "id"),
        # For the list of a user's deleted projects, by id.
        Index("ix_project_owner_id_is_deleted_id", "owner_id", "is_deleted", "id"),
        Index("ix_project_deleted_at_id", "deleted_at", "id"),
        # For the admin panel: by name.
        Index("ix_project_deleted_at_name_id", "deleted_at", "name", "id"),
        Index("ix_project_owner_id_deleted_at_name_id", "owner_id", "deleted_at", "name", "id"),
        TABLE_OPTIONS,
    )

    owner_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(VARCHAR(NAME_MAX))
    name_key: Mapped[bytes] = mapped_column(BINARY(32))
    # NULL once deleted; a unique index allows many NULLs, so the name is free again.
    live_name_key: Mapped[bytes | None] = mapped_column(
        BINARY(32), Computed("CASE WHEN deleted_at IS NULL THEN name_key END", persisted=False)
    )
    deleted_with_parent: Mapped[bool] = mapped_column("deleted_with_owner", server_default="0")
    # Read where a query says so, as all relationships here.
    owner: Mapped[User] = relationship(viewonly=True, lazy="raise")


class ProjectRecord(NamedTuple):
    """A live project as read from the database."""

    id: int
    owner_id: int
    name: str
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes."""
        return f"{self.id}-{self.revision}"


class ListedProject(NamedTuple):
    """A project in a list.

    ``deleted_at`` is None where it is live, ``role`` where the list is of the caller's own.
    """

    record: ProjectRecord
    deleted_at: datetime | None = None
    role: str | None = None

    @property
    def id(self) -> int:
        """Its id."""
        return self.record.id


class OwnerGoneError(Exception):
    """The new owner of a project has been deleted; the message is for users."""


COLUMNS = [getattr(Project, name) for name in ProjectRecord._fields]

_FIND = select(*COLUMNS).where(Project.id == bindparam("project_id"), Project.alive())
_PAGE = (
    select(*COLUMNS, Project.deleted_at)
    .with_hint(Project, "FORCE INDEX (ix_project_owner_id_is_deleted_id)")
    .where(
        Project.owner_id == bindparam("owner_id"),
        Project.is_deleted == bindparam("deleted"),
        # Being removed for good: it cannot be restored.
        Project.purged_at.is_(None),
        Project.id > bindparam("after"),
    )
    .order_by(Project.id)
    .limit(bindparam("count"))
)


_SHARED_PAGE = (
    select(*COLUMNS, Member.role)
    .prefix_with("STRAIGHT_JOIN")
    .select_from(Member)
    .join(Project, Project.id == Member.project_id)
    .with_hint(Member, "FORCE INDEX (ix_member_user_id_project_id)")
    .where(
        Member.user_id == bindparam("user_id"),
        Member.project_id > bindparam("after"),
        Project.alive(),
    )
    .order_by(Member.project_id)
    .limit(bindparam("count"))
)


def find(db: Database, project_id: int) -> ProjectRecord | None:
    """The live project of that id."""
    rows = db.read(_FIND, project_id=project_id)
    return ProjectRecord._make(rows[0]) if rows else None


def page(
    db: Database, owner_id: int, after: int, count: int, *, deleted: bool = False
) -> list[ListedProject]:
    """Up to ``count`` live or deleted projects of a user, past the id ``after``."""
    rows = db.read(_PAGE, owner_id=owner_id, deleted=deleted, after=after, count=count)
    return [ListedProject(ProjectRecord._make(row[:-1]), row[-1]) for row in rows]


def shared_page(db: Database, user_id: int, after: int, count: int) -> list[ListedProject]:
    """Up to ``count`` live projects that are shared with a user, past the id ``after``."""
    rows = db.read(_SHARED_PAGE, user_id=user_id, after=after, count=count)
    return [ListedProject(ProjectRecord._make(row[:-1]), role=row[-1]) for row in rows]


def create(db: Database, owner_id: int, name: str) -> ProjectRecord | None:
    """A new project; None where the owner has been deleted meanwhile.

    Raises IntegrityError where the name is taken.
    """
    now = clock.now()
    values = {"owner_id": owner_id, "name": name, "name_key": fold(name)}
    project_id = create_below(db, User, owner_id, Project, now, values)
    if project_id is None:
        return None
    return ProjectRecord(project_id, owner_id, name, 1, now, now)


def rename(
    db: Database, record: ProjectRecord, name: str, revision: int | None = None
) -> ProjectRecord | None:
    """The renamed project; None where it is deleted, or its revision is not the given one.

    Raises IntegrityError where the name is taken.
    """
    values: dict[str, object] = {"name": name, "name_key": fold(name)}
    return _change(db, record, values, revision, rest=("owner_id",))


def hand_over(
    db: Database, record: ProjectRecord, owner_id: int, revision: int | None = None
) -> ProjectRecord | None:
    """The project with another owner; None where it is gone, or its revision is another.

    Raises OwnerGoneError. The new owner's row is locked, as it is for a new project, so that a
    concurrent deletion of that user either includes the project or comes first. Where the new
    owner was a member, the membership ends, and its tokens become the owner's.
    """
    if not lock_live(db, User, owner_id):
        raise OwnerGoneError("the new owner has just been deleted")
    handed = _change(db, record, {"owner_id": owner_id}, revision)
    if handed is not None:
        _end_membership(db, record.id, owner_id)
    return handed


def _end_membership(db: Database, project_id: int, owner_id: int) -> None:
    """Make a member's rows those of the owner that the member has become.

    After the project's row is changed: adding a member, and creating a member's token, lock it.
    """
    if not members.remove(db, project_id, owner_id):
        return
    for child in children(Project):
        if issubclass(child, RevokedWithCreator):
            theirs = child.created_by == owner_id
            db.write(
                update(child).where(child.parent_id() == project_id, theirs).values(created_by=None)
            )


def _change(
    db: Database,
    record: ProjectRecord,
    values: dict[str, object],
    revision: int | None,
    rest: tuple[str, ...] | None = None,
) -> ProjectRecord | None:
    return change_record(
        db,
        Project,
        record,
        clock.now(),
        values,
        read_again=lambda: find(db, record.id),
        revision=revision,
        rest=rest,
    )
