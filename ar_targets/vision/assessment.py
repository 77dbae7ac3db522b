"""What is found out about a picture as a target."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a picture that makes it harder to find, and what to do about it.

    `area` is x, y, width and height in pixels of the whole picture; None where all of it is meant.
    """

    code: str
    severity: Severity
    description: str
    remedy: str
    area: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """How well a picture is found, on which `docs/vision.md` has more.

    `trackability` is the percentage of simulated views in which it was found, `rating` 0…5 that
    in stars, `features` how many points a tracker has to go by. `problems` are errors first, then
    warnings, then infos. `heatmap` is a grey PNG of the picture's shape, its long side at most 64
    pixels: 0 where no view held the picture, 255 where nearly all did.
    """

    trackability: int
    rating: int
    features: int
    problems: tuple[Problem, ...]
    heatmap: bytes
