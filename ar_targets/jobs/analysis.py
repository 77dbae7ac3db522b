"""The job of one picture: examine it, store its features, ask what it resembles, store the result.

All of it is under one lease (`lease`), in short transactions. The features are committed before
the question, so of two similar pictures at the same moment at least the later one sees the other.
What ends half-way is done again from the beginning, by whoever takes the row next.
"""

import logging
import time
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, bindparam, select

from ..db.session import Database, Scope, in_transaction
from ..models import analysis, feature_set, similarity
from ..models.analysis import DONE, FAILED, PENDING, Analysis
from ..models.target import STREAMED, Target
from ..telemetry.request_context import Event
from ..vision.assessment import Problem
from ..vision.examine import Examination
from ..vision.picture import PictureError
from ..vision.pool import Pool, PoolError
from ..vision.version import VERSION
from ..vision_client import VisionClient, VisionError
from . import lease
from .lease import Lease

log = logging.getLogger(__name__)

# Seconds of a lease, which the worker extends while it works: so long does a picture wait whose
# worker was killed.
LEASE = 30.0
# How often a picture is taken before it is given up.
TRIES = 3
# Seconds before a picture is tried again that is not at fault, as far as can be told: a machine
# short of memory fails all pictures, and needs time.
AGAIN = 30.0

# How the work on a picture ended. "again": it was given back; "dropped": nobody needs the result,
# since the picture is gone, or was replaced, or somebody else has taken it.
Outcome = Literal["done", "failed", "again", "dropped"]

_NEW = (
    (Analysis.status == PENDING) & (Analysis.version <= VERSION),
    (Analysis.queued_at, Analysis.target_id),
    "ix_analysis_status_queued_at_target_id",
)
# Their status, and so what is known about them, stays as it is meanwhile.
_OLD = (
    (Analysis.version < VERSION) & (Analysis.status != PENDING),
    (Analysis.version, Analysis.target_id),
    "ix_analysis_version_target_id",
)
_IMAGE = (
    select(Target.project_id, Target.sha256, Target.image)
    .where(Target.id == bindparam("target_id"))
    .execution_options(**STREAMED)
)


NOT_OURS = "it was taken, queued again or purged"


class DroppedError(Exception):
    """Nobody needs the result any more; the message says why."""


class AnalysisJob:
    """Takes pictures, and works on them; for any number of threads."""

    def __init__(self, scope: Scope, pool: Pool, vision: VisionClient) -> None:
        self._scope, self._pool, self._vision = scope, pool, vision

    def take(self, limit: int, seconds: float = LEASE) -> list[Lease]:
        """Lease pictures: new ones in their order, then those of an older version."""
        taken: list[Lease] = []
        for ready, order, index in (_NEW, _OLD):
            if len(taken) < limit:
                taken += lease.take(
                    self._scope,
                    Analysis,
                    Analysis.project_id,
                    Analysis.sha256,
                    ready=ready,
                    order=order,
                    index=index,
                    limit=limit - len(taken),
                    seconds=seconds,
                )
        return taken

    def run(self, taken: Lease) -> Outcome:
        """Work on a leased picture. Raises errors of the database and of the vision server."""
        begun = time.monotonic()
        try:
            outcome = self._run(taken)
        except DroppedError as reason:
            log.debug("target %s: %s", taken.key, reason)
            outcome = "dropped"
        milliseconds = round((time.monotonic() - begun) * 1000)
        log.debug(Event("picture", target_id=taken.key, outcome=outcome, ms=milliseconds))
        return outcome

    def _run(self, taken: Lease) -> Outcome:
        if taken.tries > TRIES:
            return self.fail(taken, "each time, the worker ended before it did")
        jpeg = self._image(taken)
        try:
            examination = self._pool.examine(jpeg)
        except PictureError as error:
            return self.fail(taken, str(error))
        except PoolError as error:
            return self.failed_once(taken, str(error))
        revision = in_transaction(self._scope, lambda db: _keep(db, taken, examination))
        similar = self._similar(taken)
        in_transaction(self._scope, lambda db: _finish(db, taken, examination, revision, similar))
        return "done"

    def _image(self, taken: Lease) -> bytes:
        """The bytes to examine, read outside of any lock."""
        with self._scope() as db:
            rows = db.read(_IMAGE, target_id=taken.key)
        if not rows:
            raise DroppedError("it was purged")
        project_id, sha256, image = rows[0]
        if (project_id, sha256) != (taken.row.project_id, taken.row.sha256):
            raise DroppedError("it was replaced or moved")
        return bytes(image)

    def _similar(self, taken: Lease) -> dict[int, float]:
        """What the picture resembles. Raises VisionError, unless nobody asks any more."""
        try:
            found = self._vision.similar_to(taken.row.project_id, taken.key)
        except VisionError:
            # It knows no target that was purged or moved meanwhile.
            with self._scope() as db:
                if not _exists(db, Analysis, lease.still_ours(taken)):
                    raise DroppedError(NOT_OURS) from None
            raise
        return {one.id: one.value for one in found}

    def failed_once(self, taken: Lease, reason: str) -> Outcome:
        """Give a picture back after a try that has failed, or give it up after the last one."""
        if taken.tries >= TRIES:
            return self.fail(taken, reason)
        if not lease.give_back(self._scope, taken, counted=True, seconds=AGAIN):
            raise DroppedError(NOT_OURS)
        log.warning("target %s, try %s of %s: %s", taken.key, taken.tries, TRIES, reason)
        return "again"

    def fail(self, taken: Lease, reason: str) -> Outcome:
        """Give a picture up, and say why where users look."""
        values = {"status": FAILED, "problems": to_json((failure(reason),))}
        if not in_transaction(self._scope, lambda db: _store(db, taken, values)):
            raise DroppedError(NOT_OURS)
        log.warning("gave up on target %s after try %s: %s", taken.key, taken.tries, reason)
        return "failed"


def failure(reason: str) -> Problem:
    """What users read about a picture that was given up."""
    return Problem(
        "failed",
        "error",
        f"The picture could not be examined: {reason}.",
        "Open it in an image editor, save it as a new JPEG, and upload that.",
        None,
    )


def to_json(problems: tuple[Problem, ...]) -> str:
    """Problems as the column holds them."""
    return orjson.dumps(problems).decode()


def _keep(db: Database, taken: Lease, examination: Examination) -> int:
    """Store the features; the revision that they have got.

    The target's row is locked first, as by requests, which then queue the analysis.
    """
    unchanged = (Target.id == taken.key) & (Target.sha256 == taken.row.sha256)
    if not _exists(db, Target, unchanged):
        raise DroppedError("it was purged or replaced")
    if not _exists(db, Analysis, lease.still_ours(taken)):
        raise DroppedError(NOT_OURS)
    data = examination.features.to_bytes()
    return feature_set.keep(db, taken.key, taken.row.project_id, taken.row.sha256, data)


def _exists(db: Database, noun: Any, condition: ColumnElement[bool]) -> bool:
    """Whether there is such a row; until the transaction ends, nobody changes it."""
    found = select(1).select_from(noun).where(condition).with_for_update(read=True)
    return bool(db.write(found).all())


def _finish(
    db: Database,
    taken: Lease,
    examination: Examination,
    revision: int,
    similar: dict[int, float],
) -> None:
    """Store what was found out."""
    found = examination.assessment
    values = {
        "status": DONE,
        "trackability": found.trackability,
        "rating": found.rating,
        "features": found.features,
        "problems": to_json(found.problems),
        "heatmap": found.heatmap,
    }
    similarity.keep(db, taken.key, taken.row.project_id, revision, similar)
    if not _store(db, taken, values):
        raise DroppedError(NOT_OURS)


def _store(db: Database, taken: Lease, values: dict[str, Any]) -> bool:
    return analysis.finish(db, taken.key, taken.token, values)
