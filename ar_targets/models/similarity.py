"""Pairs of targets that a camera would confuse with each other, within a project.

The worker stores both directions of a pair, deleted targets included: what is deleted, not
examined yet, or in another project by now is left out when pairs are read.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, bindparam, delete, or_, select
from sqlalchemy.dialects.mysql import BIGINT, DOUBLE, insert
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from ..db.session import Database
from .analysis import DONE, Analysis
from .target import Target


class Similarity(Base):
    """That a target resembles another one, and how much."""

    __tablename__ = "similarity"
    __table_args__ = (Index("ix_similarity_other_id", "other_id"), TABLE_OPTIONS)

    target_id: Mapped[int] = mapped_column(
        BIGINT, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    other_id: Mapped[int] = mapped_column(
        BIGINT, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # From 0 to 1.
    value: Mapped[float] = mapped_column(DOUBLE(asdecimal=False))


class SimilarTarget(NamedTuple):
    """A live target that another one resembles."""

    id: int
    name: str | None
    similarity: float


_LIVE = (
    Target.project_id == bindparam("project_id"),
    Target.alive(),
    Analysis.target_id == Target.id,
    Analysis.sha256 == Target.sha256,
    Analysis.status == DONE,
)
_FIND = (
    select(Similarity.target_id, Target.id, Target.name, Similarity.value)
    .join(Target, Target.id == Similarity.other_id)
    .join(Analysis, Analysis.target_id == Target.id)
    .where(Similarity.target_id.in_(bindparam("ids", expanding=True)), *_LIVE)
)
_NAMED = (
    select(Target.id, Target.name)
    .join(Analysis, Analysis.target_id == Target.id)
    .where(Target.id.in_(bindparam("ids", expanding=True)), *_LIVE)
)


def find_all(
    db: Database, project_id: int, target_ids: Sequence[int]
) -> dict[int, list[SimilarTarget]]:
    """What each of some targets of a project resembles, the most similar first."""
    found: dict[int, list[SimilarTarget]] = {target_id: [] for target_id in target_ids}
    rows = db.read(_FIND, project_id=project_id, ids=[*target_ids]) if target_ids else []
    for target_id, *similar in rows:
        found[target_id].append(SimilarTarget._make(similar))
    for some in found.values():
        some.sort(key=lambda one: (-one.similarity, one.id))
    return found


def names(db: Database, project_id: int, target_ids: Sequence[int]) -> dict[int, str | None]:
    """The names of those of some targets that are live, examined and the project's; by id."""
    rows = db.read(_NAMED, project_id=project_id, ids=[*target_ids]) if target_ids else []
    return {row[0]: row[1] for row in rows}


def replace(db: Database, target_id: int, similar: Mapping[int, float]) -> None:
    """Store what a target resembles, by the others' ids, in place of what was stored.

    Raises IntegrityError where one of them has been purged.
    """
    either = or_(Similarity.target_id == target_id, Similarity.other_id == target_id)
    db.write(delete(Similarity).where(either))
    rows = [
        {"target_id": one, "other_id": other, "value": value}
        for found, value in sorted(similar.items())
        for one, other in ((target_id, found), (found, target_id))
    ]
    if rows:
        db.write(insert(Similarity).values(rows))
