"""Targets whose pictures have been examined, without a worker."""

import io
from typing import Any

import orjson
from PIL import Image

from ar_targets.models.analysis import FAILED
from ar_targets.vision.assessment import Problem

from .actors import Stage, Target

BLURRED = Problem(
    "blurred", "error", "The picture is blurred.", "Take a sharp one.", (10, 20, 30, 40)
)
FLAT = Problem("large_flat_areas", "warning", "Much of it is flat.", "Fill it.")
SMALL = Problem("too_small", "info", "It is small.", "Send a larger one.")


def heatmap(size: tuple[int, int] = (64, 43)) -> bytes:
    """Held best at the right, not at all at the left."""
    grey = Image.linear_gradient("L").rotate(90).resize(size)
    file = io.BytesIO()
    grey.save(file, "PNG")
    return file.getvalue()


def judge(stage: Stage, target: Target, rating: int = 4, *problems: Problem, **values: Any) -> None:
    """Store what a worker would have found out about a target's picture."""
    found = {
        "trackability": 20 * rating,
        "rating": rating,
        "features": 300 * rating,
        "problems": orjson.dumps(problems).decode(),
        "heatmap": heatmap(),
    }
    stage.analyse(target, **found | values)


def fail(stage: Stage, target: Target) -> None:
    """Store that a target's picture could not be examined."""
    problem = Problem("failed", "error", "It cannot be read.", "Send another one.")
    stage.analyse(target, FAILED, problems=orjson.dumps([problem]).decode())


def resemble(stage: Stage, target: Target, *others: tuple[Target, float]) -> None:
    """Store what a target resembles, and how much."""
    stage.resemble(target, dict(others))
