"""All that is found out about one picture: what the processes of `pool` are asked for."""

from dataclasses import dataclass

from .assessment import Assessment
from .picture import decode
from .rating import assess


@dataclass(frozen=True, slots=True)
class Examination:
    """Of one picture."""

    assessment: Assessment


def examine(jpeg: bytes) -> Examination:
    """Judge a picture. Raises PictureError."""
    picture = decode(jpeg)
    return Examination(assess(picture))
