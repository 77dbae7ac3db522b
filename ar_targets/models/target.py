"""Image targets, the JPEGs that an app recognises: the mapped class, its record and its queries.

InnoDB stores large values outside the row, and no statement here selects the ``image`` column
unless the image itself is needed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, cast

from sqlalchemy import ColumnElement, Computed, ForeignKey, Index, Select, bindparam, func, select
from sqlalchemy.dialects.mysql import (
    BIGINT,
    CHAR,
    DOUBLE,
    INTEGER,
    LONGBLOB,
    MEDIUMTEXT,
    TEXT,
    VARBINARY,
    VARCHAR,
)
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from .. import clock
from ..db.base import TABLE_OPTIONS, TEXT_MAX_BYTES, Base, folded
from ..db.session import Database
from ..images.jpeg import Jpeg
from ..telemetry import request_context
from . import analysis as analyses
from .analysis import Analysis
from .change import change_record, create_below, lock_live
from .noun import Audited, Restorable
from .project import Project

DESCRIPTION_MAX_BYTES = TEXT_MAX_BYTES
NAME_MAX = 255
# Bytes of `folded` by which names are compared and sorted: the most that fits into an index beside
# three numbers. Of all characters, only 13 symbols of musical notation become more bytes than it
# has for each of the 255.
NAME_KEY_MAX = 3040
# Metres; no poster is wider than a kilometre.
PHYSICAL_WIDTH_MAX = 1000
METADATA_MAX_BYTES = 2 * 2**20


class Target(Audited, Restorable, Base):
    """One image target of a project."""

    __tablename__ = "target"
    plural = "targets"
    label = "name"
    audited = ("project_id", "name", "description", "physical_width", "active", "sha256")
    audited_as_set: ClassVar[Mapping[str, str]] = {"metadata": "metadata"}
    parent_key = "project_id"
    # InnoDB frees an image page by page: small batches keep a transaction short.
    purge_batch = 50
    __table_args__ = (
        Index("uq_target_live_name_key", "project_id", "live_name_key", unique=True),
        # For the lists of the API (`ar_targets.models.target_list`).
        *(
            Index(
                f"ix_target_project_id_is_deleted_{'_'.join(by)}", "project_id", "is_deleted", *by
            )
            for by in (("id",), ("name_key", "id"), ("sha256", "id"))
        ),
        # For the admin panel.
        Index("ix_target_is_deleted_name_key_id", "is_deleted", "name_key", "id"),
        Index("ix_target_project_id_deleted_at_id", "project_id", "deleted_at", "id"),
        Index("ix_target_deleted_at_id", "deleted_at", "id"),
        # Covering indexes for the admin panel's sums: version 0.1.0's, and those by project.
        Index("ix_target_deleted_at_created_at_size", "deleted_at", "created_at", "size"),
        Index(
            "ix_target_project_id_deleted_at_created_at_size",
            *("project_id", "deleted_at", "created_at", "size"),
        ),
        # For the limits (`ar_targets.models.usage`).
        Index("ix_target_project_id_size_metadata_size", "project_id", "size", "metadata_size"),
        TABLE_OPTIONS,
    )

    project_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("project.id"))
    name: Mapped[str | None] = mapped_column(VARCHAR(NAME_MAX))
    # The beginning of `folded`.
    name_key: Mapped[bytes | None] = mapped_column(VARBINARY(NAME_KEY_MAX))
    live_name_key: Mapped[bytes | None] = mapped_column(
        VARBINARY(NAME_KEY_MAX),
        Computed("CASE WHEN deleted_at IS NULL THEN name_key END", persisted=False),
    )
    description: Mapped[str] = mapped_column(TEXT)
    physical_width: Mapped[float | None] = mapped_column(DOUBLE(asdecimal=False))
    active: Mapped[bool] = mapped_column(server_default="1")
    # Any JSON as text, which comes back as it was sent; the JSON types of the servers differ, and
    # both change numbers. Up to megabytes: read only where it is selected, as the image.
    metadata_text: Mapped[str | None] = mapped_column("metadata", MEDIUMTEXT, deferred=True)
    # Its bytes, without reading it; 0 for null.
    metadata_size: Mapped[int] = mapped_column(INTEGER(unsigned=True), server_default="0")
    width: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    height: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    size: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    sha256: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    image: Mapped[bytes] = mapped_column(LONGBLOB, deferred=True)
    project: Mapped[Project] = relationship(viewonly=True, lazy="raise")
    # Of these bytes; None until there is a row.
    analysis: Mapped[Analysis | None] = relationship(
        primaryjoin=lambda: (
            (foreign(Analysis.target_id) == Target.id) & (Analysis.sha256 == Target.sha256)
        ),
        uselist=False,
        viewonly=True,
        lazy="raise",
    )

    @classmethod
    def title(cls) -> ColumnElement[str]:
        """Its name, or the description where it has none."""
        return func.coalesce(cls.name, cls.description)


# The fields that clients write, by name.
Fields = Mapping[str, Any]
DEFAULTS: dict[str, Any] = {
    "name": None,
    "description": "",
    "physical_width": None,
    "active": True,
    "metadata": None,
}


class TargetRecord(NamedTuple):
    """A target as read from the database, without the image and the metadata."""

    id: int
    project_id: int
    name: str | None
    description: str
    physical_width: float | None
    active: bool
    metadata_size: int
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
# What a record leaves out, by the name of the field.
LARGE = {"image": Target.image, "metadata": Target.metadata_text}

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
_METADATA = select(Target.metadata_text).where(*_LIVE)


def find(db: Database, project_id: int, target_id: int) -> TargetRecord | None:
    """The live target of that id, if it is the project's."""
    rows = db.read(_FIND, target_id=target_id, project_id=project_id)
    return TargetRecord._make(rows[0]) if rows else None


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


def metadata(db: Database, found: TargetRecord) -> str | None:
    """The metadata, as JSON text; None for null, which takes no statement."""
    if not found.metadata_size:
        return None
    rows = db.read(_METADATA, target_id=found.id, project_id=found.project_id)
    return cast("str | None", rows[0][0]) if rows else None


def create(db: Database, project_id: int, fields: Fields) -> TargetRecord | None:
    """A new target; None where the project is gone.

    ``fields`` are those of `ar_targets.schemas.target.TargetBody`, ``image`` as a `Jpeg`; what
    is left out has its default. Raises IntegrityError where the name is taken.
    """
    now = clock.now()
    values = {"project_id": project_id, **_columns({**DEFAULTS, **fields})}
    target_id = create_below(db, Project, project_id, Target, now, values)
    if target_id is None:
        return None
    analyses.queue_new(db, target_id, project_id, values["sha256"])
    _count_upload(fields)
    shown = {name: values[name] for name in TargetRecord._fields if name in values}
    return TargetRecord(id=target_id, revision=1, created_at=now, updated_at=now, **shown)


def change(
    db: Database, record: TargetRecord, fields: Fields, revision: int | None = None
) -> TargetRecord | None:
    """The target with changed ``fields``, as for `create`.

    None where it is deleted, or its revision is not the given one. Raises IntegrityError where
    the name is taken.
    """
    changed = change_record(
        db,
        Target,
        record,
        clock.now(),
        _columns(fields),
        read_again=lambda: find(db, record.project_id, record.id),
        revision=revision,
    )
    if changed is not None and "image" in fields:
        analyses.queue(db, changed.id, changed.project_id, fields["image"].sha256)
        _count_upload(fields)
    return changed


def move(
    db: Database, record: TargetRecord, project_id: int, revision: int | None = None
) -> TargetRecord | None:
    """The target in another project; None as for `change`, or where that project is deleted.

    The project's row is locked, as it is for a new target. Raises IntegrityError where the name
    is taken there.
    """
    if not lock_live(db, Project, project_id):
        return None
    moved = change_record(
        db,
        Target,
        record,
        clock.now(),
        {"project_id": project_id},
        read_again=lambda: find(db, project_id, record.id),
        revision=revision,
    )
    if moved is not None:
        # What it resembles is another question there.
        analyses.queue(db, moved.id, project_id, moved.sha256)
    return moved


def examine_again(db: Database, project_id: int, target_id: int) -> TargetRecord | None:
    """Queue the analysis of a target's picture again; None where the target is deleted.

    Its row is locked before that of the analysis, as by a change of the picture.
    """
    if not lock_live(db, Target, target_id):
        return None
    record = find(db, project_id, target_id)
    if record is not None:
        analyses.requeue(db, record.id, record.project_id, record.sha256)
    return record


def growth(fields: Fields, record: TargetRecord | None = None) -> int:
    """The bytes that a new target, or a change of one, adds to what is stored; may be negative."""
    grown = 0
    if "image" in fields:
        grown += len(fields["image"].data) - (record.size if record else 0)
    if "metadata" in fields:
        before = record.metadata_size if record else 0
        grown += len((fields["metadata"] or "").encode()) - before
    return grown


def name_key(name: str) -> bytes:
    """The key by which names of targets are compared and sorted."""
    return folded(name)[:NAME_KEY_MAX]


def _columns(fields: Fields) -> dict[str, Any]:
    """The columns that fields are kept in."""
    values = dict(fields)
    if "name" in fields:
        values["name_key"] = None if fields["name"] is None else name_key(fields["name"])
    if "metadata" in fields:
        values["metadata_size"] = len((fields["metadata"] or "").encode())
    if "image" in fields:
        jpeg: Jpeg = fields["image"]
        values |= {
            "image": jpeg.data,
            "width": jpeg.width,
            "height": jpeg.height,
            "size": len(jpeg.data),
            "sha256": jpeg.sha256,
        }
    return values


def _count_upload(fields: Fields) -> None:
    """Tell the access log how large the stored image is."""
    request_context.current.get().upload_bytes = len(fields["image"].data)
