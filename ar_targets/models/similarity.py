"""Pairs of targets that a camera would confuse with each other, within a project.

The worker stores both directions of a pair, deleted targets included: what is deleted, not
examined yet, or in another project by now is left out when pairs are read.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BindParameter, ForeignKey, Index, bindparam, delete, or_, select
from sqlalchemy.dialects.mysql import BIGINT, DOUBLE, insert
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from ..db.session import Database
from ..vision.version import VERSION
from .analysis import DONE, Analysis
from .feature_set import FeatureSetRow
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
_OTHERS = select(Similarity.other_id).where(Similarity.target_id == bindparam("target_id"))
_FEATURES = (
    select(
        FeatureSetRow.target_id,
        FeatureSetRow.project_id,
        FeatureSetRow.version,
        FeatureSetRow.revision,
    )
    .where(FeatureSetRow.target_id.in_(bindparam("ids", expanding=True)))
    .order_by(FeatureSetRow.target_id)
    .with_for_update(read=True)
)
_SOME: BindParameter[list[int]] = bindparam("ids", expanding=True)
_REMOVE = delete(Similarity).where(
    or_(
        (Similarity.target_id == bindparam("target_id")) & Similarity.other_id.in_(_SOME),
        (Similarity.other_id == bindparam("target_id")) & Similarity.target_id.in_(_SOME),
    )
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


def named(
    db: Database, project_id: int, similar: Sequence[tuple[int, float]]
) -> list[SimilarTarget]:
    """Ids and similarities, in their order, with the targets' names.

    Those are left out that are not live, examined and the project's by now.
    """
    ids = [target_id for target_id, _ in similar]
    rows = db.read(_NAMED, project_id=project_id, ids=ids) if ids else []
    names = {row[0]: row[1] for row in rows}
    return [SimilarTarget(one, names[one], value) for one, value in similar if one in names]


def keep(
    db: Database, target_id: int, project_id: int, revision: int, similar: Mapping[int, float]
) -> None:
    """Store what a target resembles, by the others' ids, in place of what was stored.

    Of each pair, the one whose features were stored later decides, since it alone has seen both:
    pairs with features past our ``revision`` are left to the others, who may be storing them now,
    and so are those with features of an older version, until these are renewed.
    """
    stored = {row[0] for row in db.read(_OTHERS, target_id=target_id)}
    if not stored and not similar:
        return
    # Locked, so that none is replaced until the pairs are stored.
    rows = db.write(_FEATURES, ids=sorted(stored | similar.keys())).all()
    moved = {row.target_id for row in rows if row.project_id != project_id}
    ours = {
        row.target_id
        for row in rows
        if row.project_id == project_id and row.version == VERSION and row.revision < revision
    }
    gone = sorted(stored & (ours | moved) - similar.keys())
    if gone:
        db.write(_REMOVE, target_id=target_id, ids=gone)
    pairs = [
        {"target_id": one, "other_id": other, "value": similar[found]}
        for found in sorted(ours & similar.keys())
        for one, other in ((target_id, found), (found, target_id))
    ]
    if pairs:
        made = insert(Similarity).values(pairs)
        db.write(made.on_duplicate_key_update(value=made.inserted.value))
