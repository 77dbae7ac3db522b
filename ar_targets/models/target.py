"""Image targets, the JPEGs that an app recognises: the mapped class, its record and its queries.

InnoDB stores large values outside the row, and no statement here selects the ``image`` column
unless the image itself is needed.
"""

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import ForeignKey, Index, Select, bindparam, func, select
from sqlalchemy.dialects.mysql import BIGINT, CHAR, INTEGER, LONGBLOB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..db.base import TABLE_OPTIONS, TEXT_MAX_BYTES, Base
from ..db.session import Database
from ..images.jpeg import Jpeg
from ..telemetry import request_context
from .change import change_record, create_below
from .noun import Audited, Owned, SoftDeletable
from .project import Project

DESCRIPTION_MAX_BYTES = TEXT_MAX_BYTES


class Target(Audited, SoftDeletable, Owned, Base):
    """One image target of a project."""

    __tablename__ = "target"
    plural = "targets"
    label = "description"
    audited = ("project_id", "description", "sha256")
    parent_key = "project_id"
    # InnoDB frees an image page by page: small batches keep a transaction short.
    purge_batch = 50
    __table_args__ = (
        Index("ix_target_project_id_deleted_at_id", "project_id", "deleted_at", "id"),
        Index("ix_target_deleted_at_id", "deleted_at", "id"),
        # A covering index for the admin panel's sums.
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
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes."""
        return f"{self.id}-{self.revision}"


COLUMNS = [getattr(Target, name) for name in TargetRecord._fields]

_LIVE = (
    Target.id == bindparam("target_id"),
    Target.project_id == bindparam("project_id"),
    Target.alive(),
)
_SAME_IMAGE = (*_LIVE, Target.sha256 == bindparam("sha256"))
_FIND = select(*COLUMNS).where(*_LIVE)
# Stream results: otherwise MariaDB's driver keeps a second copy of the rows, for which the system
# clears memory each time. This takes a third of the CPU time for 1 MB.
STREAMED = {"stream_results": True}
_IMAGE = select(Target.image).where(*_SAME_IMAGE).execution_options(**STREAMED)
# SUBSTRING counts from 1.
_SLICE = (
    select(func.substring(Target.image, bindparam("first"), bindparam("length"), type_=LONGBLOB))
    .where(*_SAME_IMAGE)
    .execution_options(**STREAMED)
)
_PAGE = (
    select(*COLUMNS)
    .with_hint(Target, "FORCE INDEX (ix_target_project_id_deleted_at_id)")
    .where(
        Target.project_id == bindparam("project_id"),
        Target.alive(),
        Target.id > bindparam("after"),
    )
    .order_by(Target.id)
    .limit(bindparam("count"))
)


def find(db: Database, project_id: int, target_id: int) -> TargetRecord | None:
    """The live target of that id, if it is the project's."""
    rows = db.read(_FIND, target_id=target_id, project_id=project_id)
    return TargetRecord._make(rows[0]) if rows else None


def page(db: Database, project_id: int, after: int, count: int) -> list[TargetRecord]:
    """Up to ``count`` live targets of a project past the id ``after``."""
    rows = db.read(_PAGE, project_id=project_id, after=after, count=count)
    return [TargetRecord._make(row) for row in rows]


def image(db: Database, found: TargetRecord) -> bytes | None:
    """The JPEG; None where it was replaced or deleted since ``found`` was read."""
    return _bytes(db, _IMAGE, found)


def image_slice(db: Database, found: TargetRecord, start: int, stop: int) -> bytes | None:
    """The JPEG's bytes from ``start`` up to ``stop``; None as for `image`."""
    return _bytes(db, _SLICE, found, first=start + 1, length=stop - start)


def _bytes(
    db: Database, statement: Select[bytes], found: TargetRecord, **part: int
) -> bytes | None:
    key = {"target_id": found.id, "project_id": found.project_id, "sha256": found.sha256}
    rows = db.read(statement, **key, **part)
    return cast("bytes", rows[0][0]) if rows else None


def create(db: Database, project_id: int, jpeg: Jpeg, description: str) -> TargetRecord | None:
    """A new target; None where the project is gone."""
    now = clock.now()
    shown = {"project_id": project_id, "description": description, **_about(jpeg)}
    values = shown | {"image": jpeg.data}
    target_id = create_below(db, Project, project_id, Target, now, values)
    if target_id is None:
        return None
    request_context.current.get().upload_bytes = len(jpeg.data)
    return TargetRecord(id=target_id, revision=1, created_at=now, updated_at=now, **shown)


def _about(jpeg: Jpeg) -> dict[str, Any]:
    """The columns that describe the image."""
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
    """The changed target; None where it is deleted, or its revision is not the given one."""
    values: dict[str, Any] = {} if description is None else {"description": description}
    if jpeg is not None:
        values |= _about(jpeg) | {"image": jpeg.data}
    changed = change_record(
        db,
        Target,
        record,
        clock.now(),
        values,
        read_again=lambda: find(db, record.project_id, record.id),
        revision=revision,
        # Not the description: values that differ may compare equal in the database.
        rest=("sha256",) if jpeg is None else None,
    )
    if changed is not None and jpeg is not None:
        request_context.current.get().upload_bytes = len(jpeg.data)
    return changed
