"""What a server finds out about a picture: how well it can be tracked, and what it resembles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from . import fields
from .errors import ClientError, ConflictError
from .record import Record

# How many similar targets a line names.
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Problem(Record):
    """Something that makes a picture harder to track, and what would help.

    ``area``: its x, y, width and height in the picture's pixels, None for all of it.
    """

    code: fields.ProblemCode
    severity: fields.ProblemSeverity
    description: fields.Sentence
    remedy: fields.Sentence
    area: fields.Area


@dataclass(frozen=True, kw_only=True)
class Similar(Record):
    """Another target of the project that may be taken for the picture; 1 is the same."""

    id: fields.Id
    name: fields.TargetName
    similarity: fields.Similarity

    def __str__(self) -> str:
        named = "" if self.name is None else f" {self.name!r}"
        return f"target {self.id}{named} ({self.similarity:.2f})"


def named(similar: Sequence[Similar]) -> str:
    """The most similar targets in one line."""
    more = len(similar) - NAMED
    rest = [f"{more} more"] if more > 0 else []
    return ", ".join([*map(str, similar[:NAMED]), *rest])


PROBLEMS = fields.Each(Problem.read)
SIMILARS = fields.Each(Similar.read)


@dataclass(frozen=True, kw_only=True)
class Analysis(Record):
    """What is known about a picture; numbers are None, and lists empty, until it is done.

    ``rating``: 0 to 5 stars, ``trackability``: 0 to 100. ``problems``: the gravest first; one of
    code ``failed`` where the analysis failed. ``similar``: the project's other targets that it
    may be taken for, the most similar first. ``heatmap_url``: for a picture that is not stored, a
    ``data:`` URL of a small PNG.
    """

    status: fields.AnalysisStatus
    version: fields.Version
    analysed_at: fields.MomentOrNull
    trackability: fields.ScoreOrNull
    rating: fields.RatingOrNull
    features: fields.CountOrNull
    problems: Annotated[tuple[Problem, ...], PROBLEMS]
    similar: Annotated[tuple[Similar, ...], SIMILARS]
    heatmap_url: fields.HeatmapUrl

    @classmethod
    def read(cls, data: Any, **own: Any) -> Self:
        """As of any record. Raises ClientError if it is done, and a number is missing."""
        found = super().read(data, **own)
        numbers = (found.trackability, found.rating, found.features)
        if found.status == "done" and None in numbers:
            raise cls._refusal("it is done, and a number is missing")
        return found

    @property
    def codes(self) -> str:
        """What the problems are, each once."""
        return ", ".join(dict.fromkeys(problem.code for problem in self.problems))

    def why_below(self, rating: int | None) -> str | None:
        """In words, that it has not that rating or a better one; None if it has, or for None."""
        if rating is None or (self.rating is not None and self.rating >= rating):
            return None
        stars = "it has no rating" if self.rating is None else f"its rating is {self.rating}"
        return f"{stars}, below {rating}" + (f": {self.codes}" if self.problems else "")


class SimilarTargetError(ConflictError):
    """The picture would be taken for targets that the project has: ``similar``, the first most."""

    def __init__(self, refused: ConflictError, similar: tuple[Similar, ...]) -> None:
        super().__init__(
            refused.status, refused.faults, refused.request_id, refused.retry_after, refused.body
        )
        self.after_cut = refused.after_cut
        self.similar = similar


def similar_error(refused: ConflictError) -> ConflictError:
    """The refusal as a SimilarTargetError, if it names similar targets; else unchanged."""
    try:
        return SimilarTargetError(refused, SIMILARS(refused.body["similar"]))
    except (KeyError, ValueError, ClientError):
        return refused
