"""Targets whose pictures have been examined, without a worker."""

import io
from typing import Any

import orjson
from PIL import Image
from sqlalchemy import update

from ar_targets.db.session import transaction_scope
from ar_targets.models import analysis, similarity
from ar_targets.models.analysis import DONE, FAILED
from ar_targets.vision.assessment import Problem

from . import tables
from .actors import Stage, Target

LEASE = "0" * 32
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
        "status": DONE,
        "trackability": 20 * rating,
        "rating": rating,
        "features": 300 * rating,
        "problems": orjson.dumps(problems).decode(),
        "heatmap": heatmap(),
    }
    _finish(stage, target, found | values)


def fail(stage: Stage, target: Target) -> None:
    """Store that a target's picture could not be examined."""
    problem = Problem("failed", "error", "It cannot be read.", "Send another one.")
    _finish(stage, target, {"status": FAILED, "problems": orjson.dumps([problem]).decode()})


def resemble(stage: Stage, target: Target, *others: tuple[Target, float]) -> None:
    """Store what a target resembles, and how much."""
    with transaction_scope(stage.engine) as db:
        similarity.replace(db, target.id, {other.id: value for other, value in others})


def _finish(stage: Stage, target: Target, values: dict[str, Any]) -> None:
    row = tables.analysis
    with transaction_scope(stage.engine) as db:
        db.write(update(row).where(row.c.target_id == target.id).values(lease=LEASE))
        assert analysis.finish(db, target.id, LEASE, values)
