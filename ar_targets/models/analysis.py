"""What is known about a target's picture: how well it can be tracked, and what is wrong with it.

The transaction that stores an image marks its row as pending, so that an image and its job cannot
come apart; the worker (`ar_targets.jobs`) takes such rows and fills them. The row tells which bytes
(``sha256``) it is about, and by which version of the algorithm (`ar_targets.vision.version`). A
target without a row is pending, too: one that was stored by an older server. The worker adds it.

Rows go with their target, by the foreign key.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import ForeignKey, Index, bindparam, func, select, update
from sqlalchemy.dialects.mysql import BIGINT, BLOB, CHAR, INTEGER, TEXT, VARCHAR, Insert, insert
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..db.base import TABLE_OPTIONS, Base, Moment
from ..db.session import Database
from ..vision.version import VERSION
from .noun import Leased

PENDING, DONE, FAILED = STATUSES = ("pending", "done", "failed")
RATING_MAX = 5


class Analysis(Leased, Base):
    """The analysis of one target's picture, or the place that is kept for it."""

    __tablename__ = "analysis"
    __table_args__ = (
        # The queue of new pictures, and what it counts.
        Index("ix_analysis_status_queued_at_target_id", "status", "queued_at", "target_id"),
        # Those of an older version, which are worked through behind new pictures.
        Index("ix_analysis_version_target_id", "version", "target_id"),
        # For the lists of the API (`ar_targets.models.target_list`).
        Index("ix_analysis_project_id_status_target_id", "project_id", "status", "target_id"),
        Index(
            "ix_analysis_project_id_rating_order_target_id",
            *("project_id", "rating_order", "target_id"),
        ),
        TABLE_OPTIONS,
    )

    target_id: Mapped[int] = mapped_column(
        BIGINT, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # The target's, for the indexes.
    project_id: Mapped[int] = mapped_column(BIGINT)
    # Of the bytes that are to be examined, or were.
    sha256: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    version: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    status: Mapped[str] = mapped_column(VARCHAR(7, charset="ascii", collation="ascii_bin"))
    queued_at: Mapped[Moment]
    # NULL until it is done, as all below.
    analysed_at: Mapped[Moment | None]
    trackability: Mapped[int | None] = mapped_column(INTEGER(unsigned=True))
    rating: Mapped[int | None] = mapped_column(INTEGER(unsigned=True))
    # `RATING_MAX` less the rating: an index in this order has the best ones first, each by id.
    rating_order: Mapped[int | None] = mapped_column(INTEGER(unsigned=True))
    features: Mapped[int | None] = mapped_column(INTEGER(unsigned=True))
    # A list of `ar_targets.vision.assessment.Problem`, as JSON text.
    problems: Mapped[str | None] = mapped_column(TEXT)
    # A PNG of 8-bit grey (`ar_targets.vision.assessment.Assessment`).
    heatmap: Mapped[bytes | None] = mapped_column(BLOB, deferred=True)


class AnalysisRecord(NamedTuple):
    """An analysis as read from the database, without the heatmap."""

    target_id: int
    sha256: str
    version: int
    status: str
    analysed_at: datetime | None = None
    trackability: int | None = None
    rating: int | None = None
    features: int | None = None
    problems: str | None = None


# What a row has until it is done.
NOTHING: dict[str, Any] = {
    "analysed_at": None,
    "trackability": None,
    "rating": None,
    "rating_order": None,
    "features": None,
    "problems": None,
    "heatmap": None,
}
NO_LEASE: dict[str, Any] = {"tries": 0, "lease": None, "leased_until": None}

COLUMNS = [getattr(Analysis, name) for name in AnalysisRecord._fields]
_FIND = select(*COLUMNS).where(Analysis.target_id.in_(bindparam("ids", expanding=True)))
_HEATMAP = select(Analysis.heatmap).where(
    Analysis.target_id == bindparam("target_id"),
    Analysis.sha256 == bindparam("sha256"),
    Analysis.status == DONE,
)

# Inline: there is no id to be fetched behind it.
_INSERT = insert(Analysis).inline()


def _upsert(*, unless_same: bool) -> Insert:
    """The INSERT that marks a row as pending which may exist."""
    names = ("target_id", "project_id", "sha256", "version", "status", "queued_at")
    made = _INSERT.values({name: bindparam(name) for name in names})
    new = made.inserted
    values: dict[str, Any] = {
        "version": new.version,
        "status": new.status,
        "queued_at": new.queued_at,
    }
    values |= NO_LEASE | NOTHING
    if unless_same:
        same = (Analysis.sha256 == new.sha256) & (Analysis.project_id == new.project_id)
        values = {
            name: func.if_(same, getattr(Analysis, name), value) for name, value in values.items()
        }
    # The server assigns in this order: what the condition compares comes last.
    values |= {"project_id": new.project_id, "sha256": new.sha256}
    return made.on_duplicate_key_update([*values.items()])


_QUEUE, _REQUEUE = _upsert(unless_same=True), _upsert(unless_same=False)


def find_all(db: Database, wanted: Sequence[tuple[int, str]]) -> dict[int, AnalysisRecord]:
    """The analyses of some targets, given by id and SHA-256; by id.

    A pending one where there is none of these bytes yet.
    """
    rows = db.read(_FIND, ids=[target_id for target_id, _ in wanted]) if wanted else []
    kept = {(row[0], row[1]): AnalysisRecord._make(row) for row in rows}
    return {
        target_id: kept.get(
            (target_id, sha256), AnalysisRecord(target_id, sha256, VERSION, PENDING)
        )
        for target_id, sha256 in wanted
    }


def heatmap(db: Database, target_id: int, sha256: str) -> bytes | None:
    """The heatmap of a target's picture (PNG, 8-bit grey); None until the analysis is done."""
    rows = db.read(_HEATMAP, target_id=target_id, sha256=sha256)
    return cast("bytes | None", rows[0][0]) if rows else None


def queue_new(db: Database, target_id: int, project_id: int, sha256: str) -> None:
    """Mark the picture of a new target as pending, in the transaction that stores it."""
    db.write(_INSERT, **_new(target_id, project_id, sha256))


def queue(db: Database, target_id: int, project_id: int, sha256: str) -> None:
    """Mark a picture as pending, in the transaction that replaces or moves it.

    An analysis of the same bytes in the same project stays as it is.
    """
    db.write(_QUEUE, **_new(target_id, project_id, sha256))


def requeue(db: Database, target_id: int, project_id: int, sha256: str) -> None:
    """Have a picture examined again, whatever is known about it."""
    db.write(_REQUEUE, **_new(target_id, project_id, sha256))


def _new(target_id: int, project_id: int, sha256: str) -> dict[str, Any]:
    """The row of a picture that has not been examined."""
    return {
        "target_id": target_id,
        "project_id": project_id,
        "sha256": sha256,
        "version": VERSION,
        "status": PENDING,
        "queued_at": clock.now(),
    }


def finish(db: Database, target_id: int, lease: str, values: dict[str, Any]) -> bool:
    """Store the result of a lease: ``status`` and what goes with it. False where it has ended.

    ``values`` are columns; what is left out becomes NULL.
    """
    rating = values.get("rating")
    ended = {
        **NOTHING,
        **NO_LEASE,
        "version": VERSION,
        "analysed_at": clock.now(),
        "rating_order": None if rating is None else RATING_MAX - rating,
        **values,
    }
    still_leased = (Analysis.target_id == target_id) & (Analysis.lease == lease)
    return db.write(update(Analysis).where(still_leased).values(ended)).rowcount == 1
