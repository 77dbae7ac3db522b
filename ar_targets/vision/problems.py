"""What makes a picture hard to find, from the picture alone."""

from .assessment import Problem
from .picture import Picture
from .trial import Trial


def problems_of(picture: Picture, trial: Trial) -> tuple[Problem, ...]:
    """Errors first, then warnings, then infos."""
    return ()
