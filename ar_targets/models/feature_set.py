"""The features of targets' pictures: stored by the worker, loaded by the recognition server.

``revision`` numbers the changes within a project. It is drawn under a lock that lasts until the
commit, so changes become visible in its order: whoever has read up to a revision has missed none
before it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, bindparam, func, literal_column, select
from sqlalchemy.dialects.mysql import BIGINT, CHAR, INTEGER, MEDIUMBLOB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from ..db.session import Database
from ..vision.version import VERSION
from .target import Target

# Sets in one statement, each of some 60 KB.
BATCH = 100


class FeatureSetRow(Base):
    """The features of one target's picture (`ar_targets.vision.features.FeatureSet`)."""

    __tablename__ = "feature_set"
    __table_args__ = (
        Index(
            "ix_feature_set_project_id_version_revision",
            *("project_id", "version", "revision"),
        ),
        TABLE_OPTIONS,
    )

    target_id: Mapped[int] = mapped_column(
        BIGINT, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    project_id: Mapped[int] = mapped_column(BIGINT)
    version: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    revision: Mapped[int] = mapped_column(BIGINT)
    sha256: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    # Its `to_bytes`.
    data: Mapped[bytes] = mapped_column(MEDIUMBLOB, deferred=True)


class FeatureRevision(Base):
    """The last revision of a project's feature sets."""

    __tablename__ = "feature_revision"
    __table_args__ = TABLE_OPTIONS

    project_id: Mapped[int] = mapped_column(
        BIGINT, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    revision: Mapped[int] = mapped_column(BIGINT)


class Stored(NamedTuple):
    """A stored feature set."""

    target_id: int
    revision: int
    data: bytes


_SINCE = (
    select(FeatureSetRow.target_id, FeatureSetRow.revision, FeatureSetRow.data)
    .where(
        FeatureSetRow.project_id == bindparam("project_id"),
        FeatureSetRow.version == VERSION,
        FeatureSetRow.revision > bindparam("revision"),
    )
    .order_by(FeatureSetRow.revision)
    .limit(bindparam("count"))
)


class Standing(NamedTuple):
    """What has become of the target since its features were stored."""

    # The features are of its picture, and it is in their project.
    current: bool
    live: bool


_OF_PROJECT = (
    FeatureSetRow.target_id.in_(bindparam("ids", expanding=True)),
    FeatureSetRow.project_id == bindparam("project_id"),
    FeatureSetRow.version == VERSION,
)
_STANDINGS = (
    select(
        FeatureSetRow.target_id,
        (Target.project_id == FeatureSetRow.project_id) & (Target.sha256 == FeatureSetRow.sha256),
        Target.alive(),
    )
    .join(Target, Target.id == FeatureSetRow.target_id)
    .where(*_OF_PROJECT)
)
_DATA = select(FeatureSetRow.target_id, FeatureSetRow.data).where(*_OF_PROJECT)


def standings(db: Database, project_id: int, target_ids: Sequence[int]) -> dict[int, Standing]:
    """Of those of some targets that have features in a project; by id."""
    rows = db.read(_STANDINGS, project_id=project_id, ids=[*target_ids]) if target_ids else []
    return {row[0]: Standing(bool(row[1]), bool(row[2])) for row in rows}


def data(db: Database, project_id: int, target_ids: Sequence[int]) -> dict[int, bytes]:
    """The stored features of those of some targets that have any in a project; by id."""
    rows = db.read(_DATA, project_id=project_id, ids=[*target_ids]) if target_ids else []
    return {row[0]: row[1] for row in rows}


def since(db: Database, project_id: int, revision: int) -> Iterator[Sequence[Stored]]:
    """The project's sets that were stored past a revision, in its order, in batches."""
    while True:
        found = db.read(_SINCE, project_id=project_id, revision=revision, count=BATCH)
        rows = [Stored._make(row) for row in found]
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        revision = rows[-1].revision


def keep(db: Database, target_id: int, project_id: int, sha256: str, data: bytes) -> int:
    """Store the features of a picture, or replace them; returns their revision.

    Raises IntegrityError if the target is purged.
    """
    revision = _next_revision(db, project_id)
    row = {
        "target_id": target_id,
        "project_id": project_id,
        "version": VERSION,
        "revision": revision,
        "sha256": sha256,
        "data": data,
    }
    made = insert(FeatureSetRow).values(row)
    db.write(made.on_duplicate_key_update({name: made.inserted[name] for name in row}))
    return revision


def _next_revision(db: Database, project_id: int) -> int:
    """A new revision of a project; its row stays locked until the transaction ends."""
    first = func.last_insert_id(literal_column("1"))
    made = insert(FeatureRevision).values(project_id=project_id, revision=first)
    following = func.last_insert_id(FeatureRevision.revision + 1)
    db.write(made.on_duplicate_key_update(revision=following))
    return db.last_id
