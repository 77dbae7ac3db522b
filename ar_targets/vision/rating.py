"""Judges a picture as a target: the number, the stars, the reasons.

`trackability` is the percentage of the simulated views in which the picture is found. `rating`
puts it into words:

    rating  trackability  for an app
    5       85…100        found at once, also from afar, from the side, and covered in part
    4       65…84         found reliably in ordinary use
    3       45…64         found when the user holds the camera well: near, and not too slanted
    2       25…44         found only from near and from the front; expect complaints
    1       5…24          rarely found: use another picture
    0       0…4           practically never found
"""

from .assessment import Assessment
from .heatmap import heat, png
from .picture import Picture
from .problems import problems_of
from .trial import LONG_SIDE, try_views

# The lowest trackability of 1, 2, 3, 4 and 5 stars.
THRESHOLDS = (5, 25, 45, 65, 85)


def assess(picture: Picture) -> Assessment:
    """Judge a picture; some 0.5 s of one core."""
    trial = try_views(picture.scaled(LONG_SIDE))
    trackability = round(100 * trial.share)
    return Assessment(
        trackability=trackability,
        rating=rating_of(trackability),
        features=len(trial.points),
        problems=problems_of(picture, trial),
        heatmap=png(heat(trial)),
    )


def rating_of(trackability: int) -> int:
    """Stars, 0…5."""
    return sum(trackability >= lowest for lowest in THRESHOLDS)
