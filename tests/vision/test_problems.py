"""Each problem is found on pictures that were made to have it, and on no good photograph."""

import cv2
import numpy as np
import pytest

from ar_targets.vision.picture import decode
from ar_targets.vision.problems import problems_of
from ar_targets.vision.rating import assess
from ar_targets.vision.trial import LONG_SIDE, Trial, features_of, finder

from . import made
from .made import PETALS, PHOTOGRAPHS, SIZE, STAIRS, TEMPLE

HAS = {
    "too_few_features": {
        "plain": made.plain(),
        "disc": made.disc(),
        "slope": made.slope(),
        "two tones": made.banner(),
    },
    "clustered_features": {
        **{f"temple in corner {n}": made.cornered(TEMPLE, n) for n in range(4)},
        "petals": made.cornered(PETALS, 1),
        "stairs": made.cornered(STAIRS, 2, 160),
        "noise": made.cornered(cv2.cvtColor(made.noise(200, 200), cv2.COLOR_GRAY2BGR), 3),
    },
    "repeating_pattern": {
        "chessboard": made.chessboard(40),
        "larger chessboard": made.chessboard(57),
        "tiles of noise": made.tiled(made.noise(96, 96)),
        "tiles of a photograph": made.tiled(made.grey(TEMPLE, 130, 100)),
        "bricks": made.bricks(),
        "dots": made.dots(),
    },
    "low_contrast": {
        "temple": made.faded(TEMPLE, 40),
        "stairs": made.faded(STAIRS, 55),
        "petals": made.faded(PETALS, 20),
        "noise": made.faded(made.noise(640, 480), 30),
        "plain": made.plain(),
    },
    "blurred": {
        "temple": cv2.GaussianBlur(TEMPLE, (0, 0), 4),
        "stairs": cv2.GaussianBlur(STAIRS, (0, 0), 5),
        "petals": cv2.GaussianBlur(PETALS, (0, 0), 8),
        "moved": made.moved(TEMPLE, 25),
        "enlarged": made.enlarged(STAIRS, 6),
        "large and blurred": cv2.GaussianBlur(
            cv2.resize(TEMPLE, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC), (0, 0), 20
        ),
    },
    "too_small": {
        "temple": made.sized(TEMPLE, 300),
        "stairs": made.sized(STAIRS, 150),
        "petals": made.sized(PETALS, 60),
    },
    "too_narrow": {
        "temple": TEMPLE[100:220],
        "upright": TEMPLE[:, 200:300],
        "very": STAIRS[200:250],
    },
    "large_flat_areas": {
        **{side: made.half_plain(TEMPLE, side) for side in ("top", "bottom", "left", "right")},
        "margin": cv2.copyMakeBorder(
            STAIRS, 120, 120, 120, 120, cv2.BORDER_CONSTANT, value=(255,) * 3
        ),
        "plain": made.plain(),
    },
    "text_or_line_art": {
        "text": made.text(16),
        "larger text": made.text(26),
        "white on black": made.text(20, 255, 0),
        "headline": made.text(44),
        "grey on paper": made.text(22, 60, 220),
        "drawing": made.drawing(),
    },
}
TABLE = [(code, name) for code, named in HAS.items() for name in named]


def problems(image):
    """Those of a picture that no view was tried of: they do not depend on it."""
    picture = decode(made.jpeg_of(image))
    grey = picture.scaled(LONG_SIDE)
    return problems_of(picture, Trial(grey, *features_of(finder(), grey), ()))


def problem_of(image, code):
    found = {problem.code: problem for problem in problems(image)}
    assert code in found, f"only {sorted(found)}"
    return found[code]


@pytest.mark.parametrize(("code", "name"), TABLE, ids=[": ".join(row) for row in TABLE])
def test_a_picture_made_to_have_it_has_it(code, name):
    problem = problem_of(HAS[code][name], code)
    assert problem.description.endswith(".")
    assert problem.remedy.endswith(".")
    assert max(len(problem.description), len(problem.remedy)) < 250


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("times", [1, 3])
def test_a_good_photograph_has_none(name, times):
    image = cv2.resize(PHOTOGRAPHS[name], None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    assessment = assess(decode(made.jpeg_of(image)))
    assert assessment.problems == ()
    assert assessment.rating >= 3


@pytest.mark.parametrize("times", [1, 4])
def test_areas_are_in_pixels_of_the_whole_picture(times):
    image = cv2.resize(made.cornered(PETALS, 3), None, fx=times, fy=times)
    right, bottom = SIZE[1] * times, SIZE[0] * times
    x, y, width, height = problem_of(image, "clustered_features").area
    assert right - 200 * times <= x < x + width <= right
    assert bottom - 150 * times <= y < y + height <= bottom
    x, y, width, height = problem_of(image, "large_flat_areas").area
    assert (x, y) == (0, 0)
    assert width * height > 0.9 * right * bottom


def test_what_repeats_is_shown():
    image = TEMPLE.copy()
    image[:180, :270] = cv2.cvtColor(made.chessboard(30), cv2.COLOR_GRAY2BGR)[:180, :270]
    x, y, width, height = problem_of(image, "repeating_pattern").area
    assert x < 70
    assert y < 70
    assert 200 < x + width < 320
    assert 140 < y + height < 230


def test_what_is_meant_as_a_whole_has_no_area():
    for code in ("too_few_features", "low_contrast", "blurred", "too_small", "too_narrow"):
        image = next(iter(HAS[code].values()))
        assert problem_of(image, code).area is None


def test_worse_ones_come_first():
    found = problems(made.faded(cv2.GaussianBlur(made.sized(TEMPLE, 300), (0, 0), 4), 55))
    severities = [problem.severity for problem in found]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert len(set(severities)) > 1


def test_severity_grows_with_the_problem():
    assert problem_of(made.sized(TEMPLE, 300), "too_small").severity == "warning"
    assert problem_of(made.sized(TEMPLE, 150), "too_small").severity == "error"
    assert problem_of(TEMPLE[100:220], "too_narrow").severity == "warning"
    assert problem_of(TEMPLE[100:160], "too_narrow").severity == "error"
    assert problem_of(np.zeros((480, 640), np.uint8), "low_contrast").severity == "error"
