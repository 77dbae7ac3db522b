"""Image targets: the JPEGs that an app recognises. The only module that touches the blob.

Large values lie outside InnoDB's row, and no statement here names the
``image`` column unless the image itself is wanted.
"""

from typing import Any, NamedTuple, cast

from sqlalchemy import ForeignKey, Index, Table, bindparam, func, select
from sqlalchemy.dialects.mysql import BIGINT, CHAR, INTEGER, LONGBLOB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..database import Database
from ..jpeg import Jpeg
from ..telemetry import trace
from .meta import TABLE_OPTIONS, Base, Deletable
from .project import project
from .sql import insertion_below, render
from .statement import Query, change_record, insert_below

# What a TEXT column holds.
DESCRIPTION_MAX_BYTES = 65_535


class Target(Deletable, Base):
    """One picture of one project."""

    __tablename__ = "target"
    __table_args__ = (
        Index("ix_target_project_id_deleted_at_id", "project_id", "deleted_at", "id"),
        Index("ix_target_deleted_at_id", "deleted_at", "id"),
        # For the admin panel's sums: no row has to be read for them.
        Index("ix_target_deleted_at_created_at_size", "deleted_at", "created_at", "size"),
        TABLE_OPTIONS,
    )

    project_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("project.id"))
    description: Mapped[str] = mapped_column(TEXT)
    width: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    height: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    size: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    sha256: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    image: Mapped[bytes] = mapped_column(LONGBLOB, deferred=True)


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
    created_at: str
    updated_at: str

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
_SAME_IMAGE = (*_LIVE, target.c.sha256 == bindparam("sha256"))
_FIND = Query(TargetRecord._make, select(*COLUMNS).where(*_LIVE))
_IMAGE = render(select(target.c.image).where(*_SAME_IMAGE))
# SUBSTRING counts from 1.
_SLICE = render(
    select(func.substring(target.c.image, bindparam("first"), bindparam("length"))).where(
        *_SAME_IMAGE
    )
)
# Up to ``count`` live targets of a project past the id ``after``.
PAGE = Query(
    TargetRecord._make,
    select(*COLUMNS)
    .with_hint(target, "FORCE INDEX (ix_target_project_id_deleted_at_id)")
    .where(
        target.c.project_id == bindparam("project_id"),
        target.c.deleted_at.is_(None),
        target.c.id > bindparam("after"),
    )
    .order_by(target.c.id)
    .limit(bindparam("count")),
)
_INSERT = insertion_below(
    project,
    target,
    "project_id",
    "description",
    "created_at",
    "updated_at",
    "image",
    "width",
    "height",
    "size",
    "sha256",
)


def find(db: Database, project_id: int, target_id: int) -> TargetRecord | None:
    """The live target of that id, if it is the project's."""
    return _FIND.one(db, id=target_id, project_id=project_id)


def image(db: Database, found: TargetRecord) -> bytes | None:
    """The JPEG; None where it was replaced or deleted since ``found`` was read."""
    return _bytes(db, _IMAGE, found)


def image_slice(db: Database, found: TargetRecord, start: int, stop: int) -> bytes | None:
    """The JPEG's bytes from ``start`` up to ``stop``; None as for `image`."""
    return _bytes(db, _SLICE, found, first=start + 1, length=stop - start)


def _bytes(db: Database, statement: str, found: TargetRecord, **part: int) -> bytes | None:
    key = {"id": found.id, "project_id": found.project_id, "sha256": found.sha256}
    images = db.values(statement, key | part)
    return images[0] if images else None


def create(db: Database, project_id: int, jpeg: Jpeg, description: str) -> TargetRecord | None:
    """A new target; None where the project is gone."""
    now = clock.now()
    shown = {"description": description, **_about(jpeg)}
    target_id = insert_below(db, now, _INSERT, project_id, shown | {"image": jpeg.data})
    if target_id is None:
        return None
    trace.current.get().upload_bytes = len(jpeg.data)
    moment = clock.rfc3339(now)
    return TargetRecord(
        id=target_id,
        project_id=project_id,
        revision=1,
        created_at=moment,
        updated_at=moment,
        **shown,
    )


def _about(jpeg: Jpeg) -> dict[str, Any]:
    """What a target shows of its image."""
    return {
        "width": jpeg.width,
        "height": jpeg.height,
        "size": len(jpeg.data),
        "sha256": jpeg.sha256,
    }


def change(
    db: Database,
    record: TargetRecord,
    *,
    jpeg: Jpeg | None = None,
    description: str | None = None,
    revision: int | None = None,
) -> TargetRecord | None:
    """The target with what is given; None where it is gone, or its revision another."""
    shown: dict[str, Any] = {} if description is None else {"description": description}
    blob: dict[str, object] = {}
    same: dict[str, object] = {}
    if jpeg is not None:
        shown |= _about(jpeg)
        blob["image"] = jpeg.data
        if description is None:
            # Descriptions that differ in capitals would pass for the same.
            same["revision"] = record.revision
    else:
        same["sha256"] = record.sha256
    changed = change_record(
        db,
        target,
        record,
        clock.now(),
        shown | blob,
        shown=shown,
        same=same,
        again=lambda: find(db, record.project_id, record.id),
        revision=revision,
    )
    if changed is not None and jpeg is not None:
        trace.current.get().upload_bytes = len(jpeg.data)
    return changed
