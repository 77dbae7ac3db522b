"""What makes a picture hard to find, and what its designer can do about it.

The numbers are of a picture whose long side is 480 pixels, which is what a tracker looks at.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .assessment import Problem, Severity
from .measurements import TEXT, Box, contrast, crowd, edge_width, flat_area, strokes, twins
from .picture import Picture
from .trial import Trial

# Each: from where on it is a warning, and an error.
FEW_FEATURES, TOO_FEW_FEATURES = 200, 50
LOW_CONTRAST, NO_CONTRAST = 64, 24
SOFT, BLURRED = 2.2, 3.0
SMALL, TOO_SMALL = 400, 200
NARROW, TOO_NARROW = 3.0, 5.0
# An info, and a warning.
FLAT, VERY_FLAT = 0.35, 0.5
# The largest shares of cells, and of the picture, in which nine tenths of the features crowd.
CELLS, CORNER = 0.17, 0.15
ALIKE = 0.25
# Less than that has no distribution to speak of.
ENOUGH = 20
# Text that is found as often as this is only mentioned.
FOUND = 0.65

ORDER: tuple[Severity, ...] = ("error", "warning", "info")


def problems_of(picture: Picture, trial: Trial) -> tuple[Problem, ...]:
    """Errors first, then warnings, infos."""
    found = _Search(picture, trial)
    problems = [*found.of_shape(), *found.of_tones(), *found.of_features(), *found.of_areas()]
    return tuple(sorted(problems, key=lambda problem: ORDER.index(problem.severity)))


@dataclass(frozen=True, slots=True)
class _Search:
    """For the problems of one picture."""

    picture: Picture
    trial: Trial

    def of_shape(self) -> Iterator[Problem]:
        short, long = sorted((self.picture.width, self.picture.height))
        if long < SMALL:
            yield Problem(
                "too_small",
                severity(long < TOO_SMALL),
                f"The picture has only {self.picture.width} × {self.picture.height} pixels; "
                "a tracker makes use of more.",
                f"Upload it with {SMALL} pixels or more on its long side, from the original "
                "rather than enlarged.",
            )
        if long >= NARROW * short:
            yield Problem(
                "too_narrow",
                severity(long >= TOO_NARROW * short),
                f"The picture is {long / short:.1f} times as long as it is wide: from afar its "
                "short side is too small to be seen, from near its long one does not fit in.",
                "Choose a part that is at most twice as long as it is wide, or add to its sides.",
            )

    def of_tones(self) -> Iterator[Problem]:
        tones = contrast(self.trial.grey)
        if tones < LOW_CONTRAST:
            yield Problem(
                "low_contrast",
                severity(tones < NO_CONTRAST),
                f"From its darkest to its brightest it uses {tones:.0f} of 255 tones: in poor "
                "light little of it can be told apart.",
                "Raise the contrast: darker darks, brighter brights. Colours that differ in hue "
                "alone look the same to a tracker, which sees grey.",
            )
        width = edge_width(self.trial.grey)
        if width >= SOFT and tones >= NO_CONTRAST:
            yield Problem(
                "blurred",
                severity(width >= BLURRED),
                "Its edges are soft: it is out of focus, moved, enlarged from a smaller picture, "
                "or has nothing but smooth gradients.",
                "Use a sharp original, and add details with clear edges where it is meant to be "
                "soft.",
            )

    def of_features(self) -> Iterator[Problem]:
        points = self.trial.points
        if len(points) < FEW_FEATURES:
            yield Problem(
                "too_few_features",
                severity(len(points) < TOO_FEW_FEATURES),
                f"It has {len(points)} points that a tracker can recognise; good targets have "
                "several hundred.",
                "Add details with corners and contrast: a texture, a photograph, a fine pattern "
                "that does not repeat.",
            )
        if len(points) < ENOUGH:
            return
        crowded = crowd(points, self.trial.grey)
        _, _, width, height = crowded.box
        if crowded.share <= CELLS and width * height < CORNER * self.trial.grey.size:
            yield Problem(
                "clustered_features",
                "warning",
                "Nine tenths of its recognisable points are within one small part: when that is "
                "covered or out of the camera's sight, nothing holds the rest.",
                "Spread details over the whole picture, or crop it to the part that has them.",
                self.area(crowded.box),
            )
        alike = twins(points, self.trial.descriptors)
        if alike.share >= ALIKE:
            yield Problem(
                "repeating_pattern",
                "warning",
                f"{alike.share:.0%} of its recognisable points look just like others elsewhere in "
                "it, so a tracker takes one for the other.",
                "Break the repetition: vary the elements in form, size or direction, or lay "
                "something unique over them.",
                self.area(alike.box),
            )

    def of_areas(self) -> Iterator[Problem]:
        flat = flat_area(self.trial.grey)
        if flat.share >= FLAT:
            yield Problem(
                "large_flat_areas",
                "warning" if flat.share >= VERY_FLAT else "info",
                f"{flat.share:.0%} of it is one area without any detail, which a tracker cannot "
                "hold on to.",
                "Put details there, or crop the area away.",
                self.area(flat.box),
            )
        ink = strokes(self.trial.grey)
        if ink.share >= TEXT:
            yield Problem(
                "text_or_line_art",
                "info" if self.trial.share >= FOUND else "warning",
                "It is mostly text or line art: thin strokes on one tone, which blur together from "
                "afar, and whose letters and corners look alike.",
                "Combine it with a photograph or an illustration, or give it areas of different "
                "tones.",
                self.area(ink.box),
            )

    def area(self, box: Box) -> Box:
        """In the whole picture's pixels."""
        height, width = self.trial.grey.shape
        across, down = self.picture.width / width, self.picture.height / height
        x, y = round(box[0] * across), round(box[1] * down)
        return (
            x,
            y,
            max(1, min(round(box[2] * across), self.picture.width - x)),
            max(1, min(round(box[3] * down), self.picture.height - y)),
        )


def severity(worse: bool) -> Severity:  # noqa: FBT001  # its one argument says it all
    """Of two degrees."""
    return "error" if worse else "warning"
