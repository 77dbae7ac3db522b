"""What the panel tells of a picture as a target: how it was judged, and the filter by that."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Select, select

from ..models import similarity
from ..models.analysis import FAILED, PENDING, RATING_MAX, Analysis
from ..models.similarity import SimilarTarget
from ..models.target import Target
from ..vision.assessment import Problem
from ..vision_client import Analysed
from .context import db
from .list_filter import ChoiceFilter, Condition
from .role import projects_in_sight, viewer

# Apps lose a picture of so few stars, or do not find it at all.
WEAK_MAX = 1
WEAK = "weak"
FILTER = "Rating"
WORDS = (
    (WEAK, f"weak: 0 to {WEAK_MAX} stars"),
    *((str(stars), f"{stars} star{'' if stars == 1 else 's'}") for stars in range(RATING_MAX + 1)),
    (PENDING, PENDING),
    (FAILED, FAILED),
)


class Judgement(NamedTuple):
    """What is known about a picture, stored or not."""

    rating: int
    trackability: int
    features: int
    problems: Sequence[Problem]
    similar: Sequence[SimilarTarget]

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep a picture from being a target."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def weak(self) -> bool:
        """Whether somebody should think twice before it is stored."""
        return bool(self.warning)

    @property
    def warning(self) -> str:
        """What is to be thought of, in short; empty where nothing is."""
        if self.rating <= WEAK_MAX or self.errors:
            return "It would be a weak target."
        return "A camera may take it for another target." if self.similar else ""

    @property
    def reasons(self) -> list[str]:
        """Why it is weak, but for what it resembles; with warnings where it has few stars."""
        few = self.rating <= WEAK_MAX
        told = [f"It has {self.rating} of {RATING_MAX} stars."] if few else []
        counted = ("error", "warning") if few else ("error",)
        shown = [problem for problem in self.problems if problem.severity in counted]
        return told + [f"{problem.description} {problem.remedy}" for problem in shown]


def judgement_of(row: Target) -> Judgement | None:
    """What is known about a target's picture, with what is stored of it; None until it is done."""
    known = row.analysis
    if known is None or known.rating is None:
        return None
    similar = similarity.find_all(db(), row.project_id, [row.id])[row.id]
    return Judgement(
        known.rating, known.trackability or 0, known.features or 0, problems_of(known), similar
    )


def judgement_by(project_id: int, found: Analysed) -> Judgement:
    """What was found out about a picture that is not stored, with the names of similar targets."""
    told = found.assessment
    return Judgement(
        told.rating,
        told.trackability,
        told.features,
        told.problems,
        similarity.named(db(), project_id, found.similar),
    )


def problems_of(known: Analysis | None) -> list[Problem]:
    """The problems of a row, the worst first."""
    text = known and known.problems
    return [Problem(**problem) for problem in orjson.loads(text)] if text else []


def severities(known: Analysis) -> str:
    """How many errors and warnings there are, such as ``1 error, 2 warnings``; or nothing."""
    found = [problem.severity for problem in problems_of(known)]
    counts = {word: found.count(word) for word in ("error", "warning")}
    return ", ".join(
        f"{number} {word}{'' if number == 1 else 's'}" for word, number in counts.items() if number
    )


def _conditions() -> Mapping[str, Condition]:
    return {word: Condition(_condition(word)) for word, _ in WORDS}


def _condition(word: str) -> ColumnElement[bool]:
    """The condition of a word of the filter; the rating's is that of an index."""
    if word in (PENDING, FAILED):
        return Analysis.status == word
    if word == WEAK:
        return Analysis.rating_order >= RATING_MAX - WEAK_MAX
    return Analysis.rating_order == RATING_MAX - int(word)


def rating_filter() -> ChoiceFilter:
    """The filter of the list of targets, whose query has joined `Target.analysis`."""
    # Flask-Admin would join the table of another column once more.
    return ChoiceFilter(Target.id, FILTER, WORDS, _conditions)


def first_ids(word: str, project_id: int | None, *, descending: bool) -> Select[int]:
    """The ids of targets by a word of the filter, of a project or of all in sight, by an index.

    They are found among what is known, and the list reads these targets alone: those of a rating
    may be few, and far from each other.
    """
    by = "status" if word in (PENDING, FAILED) else "rating_order"
    index = f"ix_analysis_project_id_{by}_target_id"
    ids: Any = select(Analysis.target_id.label("id")).prefix_with("STRAIGHT_JOIN")
    if project_id is not None:
        ids = ids.select_from(Analysis).where(Analysis.project_id == project_id)
    elif viewer().is_admin:
        ids = ids.select_from(Analysis)
        if by == "status":
            index = "ix_analysis_status_queued_at_target_id"
    else:
        projects = projects_in_sight().subquery("projects")
        ids = ids.select_from(projects).join(Analysis, Analysis.project_id == projects.c[0])
    order = Analysis.target_id.desc() if descending else Analysis.target_id
    found: Select[int] = (
        ids.with_hint(Analysis, f"FORCE INDEX ({index})")
        .join(Target, Target.id == Analysis.target_id)
        .where(_condition(word), Target.alive())
        .order_by(order)
    )
    return found
