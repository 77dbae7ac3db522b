"""Projects: what a user keeps image targets in, and the statements about them."""

from typing import NamedTuple, cast

from sqlalchemy import (
    Computed,
    ForeignKey,
    Index,
    Table,
    bindparam,
    select,
)
from sqlalchemy.dialects.mysql import BIGINT, BINARY, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..database import Database
from .meta import TABLE_OPTIONS, Base, Purgeable, fold
from .sql import insertion_below
from .statement import Query, change_record, insert_below
from .user import user

NAME_MAX = 255


class Project(Purgeable, Base):
    """One AR application's set of targets and tokens."""

    __tablename__ = "project"
    __table_args__ = (
        Index("uq_project_live_name_key", "live_name_key", unique=True),
        Index("ix_project_owner_id_deleted_at_id", "owner_id", "deleted_at", "id"),
        Index("ix_project_deleted_at_id", "deleted_at", "id"),
        # For the admin panel: by name.
        Index("ix_project_deleted_at_name_id", "deleted_at", "name", "id"),
        Index("ix_project_owner_id_deleted_at_name_id", "owner_id", "deleted_at", "name", "id"),
        TABLE_OPTIONS,
    )

    owner_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(VARCHAR(NAME_MAX))
    name_key: Mapped[bytes] = mapped_column(BINARY(32))
    # NULL once deleted, and NULLs do not collide: the name is free again.
    live_name_key: Mapped[bytes | None] = mapped_column(
        BINARY(32), Computed("CASE WHEN deleted_at IS NULL THEN name_key END", persisted=False)
    )
    # Tells what comes back with its owner from what had been deleted before.
    deleted_with_owner: Mapped[bool] = mapped_column(server_default="0")


class ProjectRecord(NamedTuple):
    """A live project as read from the database."""

    id: int
    owner_id: int
    name: str
    revision: int
    created_at: str
    updated_at: str

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes."""
        return f"{self.id}-{self.revision}"


class OwnerGoneError(Exception):
    """Who was to own a project has been deleted; for people."""


project = cast("Table", Project.__table__)
COLUMNS = [project.c[name] for name in ProjectRecord._fields]

_FIND = Query(
    ProjectRecord._make,
    select(*COLUMNS).where(project.c.id == bindparam("id"), project.c.deleted_at.is_(None)),
)
_PAGE = Query(
    ProjectRecord._make,
    select(*COLUMNS)
    .with_hint(project, "FORCE INDEX (ix_project_owner_id_deleted_at_id)")
    .where(
        project.c.owner_id == bindparam("owner_id"),
        project.c.deleted_at.is_(None),
        project.c.id > bindparam("after"),
    )
    .order_by(project.c.id)
    .limit(bindparam("count")),
)
_LIVE_USER = (
    select(user.c.id)
    .where(user.c.id == bindparam("id"), user.c.deleted_at.is_(None))
    .with_for_update(read=True)
)
_INSERT = insertion_below(user, project, "owner_id", "name", "name_key", "created_at", "updated_at")


def find(db: Database, project_id: int) -> ProjectRecord | None:
    """The live project of that id."""
    return _FIND.one(db, id=project_id)


def page(db: Database, owner_id: int, after: int, count: int) -> list[ProjectRecord]:
    """Up to ``count`` live projects of a user, past the id ``after``."""
    return _PAGE.all(db, owner_id=owner_id, after=after, count=count)


def create(db: Database, owner_id: int, name: str) -> ProjectRecord | None:
    """A new project; None where the owner has just been deleted.

    Raises IntegrityError where the name is taken.
    """
    now, values = clock.now(), {"name": name, "name_key": fold(name)}
    project_id = insert_below(db, now, _INSERT, owner_id, values)
    if project_id is None:
        return None
    moment = clock.rfc3339(now)
    return ProjectRecord(project_id, owner_id, name, 1, moment, moment)


def rename(
    db: Database, record: ProjectRecord, name: str, revision: int | None = None
) -> ProjectRecord | None:
    """The renamed project; None where it is gone, or its revision is not the given one.

    Raises IntegrityError where the name is taken.
    """
    return change_record(
        db,
        project,
        record,
        clock.now(),
        {"name": name, "name_key": fold(name)},
        shown={"name": name},
        same={"owner_id": record.owner_id},
        again=lambda: find(db, record.id),
        revision=revision,
    )


def hand_over(
    db: Database, record: ProjectRecord, owner_id: int, revision: int | None = None
) -> ProjectRecord | None:
    """The project with another owner; None where it is gone, or its revision another.

    Raises OwnerGoneError. The new owner's row is locked, as it is for a new
    project: whoever deletes that user takes the project along, or comes first.
    """
    if db.execute(_LIVE_USER, {"id": owner_id}).scalar() is None:
        raise OwnerGoneError("the new owner has just been deleted")
    return change_record(
        db,
        project,
        record,
        clock.now(),
        {"owner_id": owner_id},
        shown={"owner_id": owner_id},
        # Names that differ in capitals would pass for the same.
        same={"revision": record.revision},
        again=lambda: find(db, record.id),
        revision=revision,
    )
