"""Image targets: the JPEGs that an app recognises. The only module that touches the blob.

Large values lie outside InnoDB's row, and no statement here names the
``image`` column unless the image itself is wanted.
"""

from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import ForeignKey, Index, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects.mysql import BIGINT, CHAR, INTEGER, LONGBLOB, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from .. import clock
from ..jpeg import Jpeg
from .meta import (
    TABLE_OPTIONS,
    Base,
    Id,
    Moment,
    Revision,
    changed,
    inserted_id,
    live_row,
    modified,
)

# What a TEXT column holds.
DESCRIPTION_MAX_BYTES = 65_535


class Target(Base):
    """One picture of one project."""

    __tablename__ = "target"
    __table_args__ = (
        Index("ix_target_project_id_deleted_at_id", "project_id", "deleted_at", "id"),
        Index("ix_target_deleted_at_id", "deleted_at", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("project.id"))
    description: Mapped[str] = mapped_column(TEXT)
    width: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    height: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    size: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    sha256: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    image: Mapped[bytes] = mapped_column(LONGBLOB, deferred=True)
    revision: Mapped[Revision]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[Moment | None]


class TargetRecord(NamedTuple):
    """A live target as read from the database, without the image."""

    id: int
    project_id: int
    description: str
    width: int
    height: int
    size: int
    sha256: str
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes."""
        return f"{self.id}-{self.revision}"


target = cast("Table", Target.__table__)
COLUMNS = [target.c[name] for name in TargetRecord._fields]

_LIVE = (
    target.c.id == bindparam("id"),
    target.c.project_id == bindparam("project_id"),
    target.c.deleted_at.is_(None),
)
_FIND = select(*COLUMNS).where(*_LIVE)
_IMAGE = select(target.c.image).where(*_LIVE, target.c.sha256 == bindparam("sha256"))
# SUBSTRING counts from 1.
_SLICE = select(func.substring(target.c.image, bindparam("start") + 1, bindparam("length"))).where(
    *_LIVE, target.c.sha256 == bindparam("sha256")
)
_PAGE = (
    select(*COLUMNS)
    .where(
        target.c.project_id == bindparam("project_id"),
        target.c.deleted_at.is_(None),
        target.c.id > bindparam("after"),
    )
    .order_by(target.c.id)
    .limit(bindparam("count"))
)
_INSERT = insert(target)


def find(db: Session, project_id: int, target_id: int) -> TargetRecord | None:
    """The live target of that id, if it is the project's."""
    row = db.execute(_FIND, {"id": target_id, "project_id": project_id}).one_or_none()
    return TargetRecord._make(row) if row else None


def image(db: Session, found: TargetRecord) -> bytes | None:
    """The JPEG; None where it was replaced or deleted since ``found`` was read."""
    key = {"id": found.id, "project_id": found.project_id, "sha256": found.sha256}
    return cast("bytes | None", db.execute(_IMAGE, key).scalar())


def image_slice(db: Session, found: TargetRecord, start: int, stop: int) -> bytes | None:
    """The JPEG's bytes from ``start`` up to ``stop``; None as for `image`."""
    key = {"id": found.id, "project_id": found.project_id, "sha256": found.sha256}
    return cast(
        "bytes | None", db.execute(_SLICE, key | {"start": start, "length": stop - start}).scalar()
    )


def page(db: Session, project_id: int, after: int, count: int) -> list[TargetRecord]:
    """Up to ``count`` live targets of a project past the id ``after``."""
    rows = db.execute(_PAGE, {"project_id": project_id, "after": after, "count": count})
    return [TargetRecord._make(row) for row in rows]


def create(db: Session, project_id: int, jpeg: Jpeg, description: str) -> TargetRecord:
    """A new target."""
    now = clock.now()
    values = {
        "project_id": project_id,
        "description": description,
        "width": jpeg.width,
        "height": jpeg.height,
        "size": len(jpeg.data),
        "sha256": jpeg.sha256,
        "created_at": now,
        "updated_at": now,
    }
    target_id = inserted_id(db.execute(_INSERT, values | {"image": jpeg.data}))
    return TargetRecord(id=target_id, revision=1, **values)  # type: ignore[arg-type]


def change(
    db: Session,
    target_id: int,
    *,
    jpeg: Jpeg | None = None,
    description: str | None = None,
    revision: int | None = None,
) -> bool:
    """Set what is given. False where the live target is gone, or its revision another."""
    values = changed(target, clock.now())
    if description is not None:
        values["description"] = description
    if jpeg is not None:
        values |= {
            "image": jpeg.data,
            "width": jpeg.width,
            "height": jpeg.height,
            "size": len(jpeg.data),
            "sha256": jpeg.sha256,
        }
    return modified(db, update(target).where(live_row(target, target_id, revision)).values(values))
