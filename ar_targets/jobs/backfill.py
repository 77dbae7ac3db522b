"""Queues targets that no server has queued: stored, replaced or moved by the release before.

An upload queues its own picture (`models.target`). What an older server stored meanwhile, or before
the upgrade, is found here: at the start of each worker and every hour. Several workers may look at
the same time.
"""

import time
from typing import Any

from sqlalchemy import (
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)

from ..db.session import Database, Scope, in_transaction
from ..models import analysis
from ..models.analysis import PENDING, Analysis
from ..models.backlog import BEHIND
from ..models.target import Target
from ..vision.version import VERSION

# Seconds between the end of a search and the next one.
EVERY = 3600.0
# Targets that are looked at in one transaction.
BATCH = 1000

_PART = (Target.id > bindparam("reached"), Target.id <= bindparam("last"))
_NEXT = (
    select(Target.id)
    .where(Target.id > bindparam("reached"))
    .order_by(Target.id)
    .limit(bindparam("batch"))
)
_LAST = select(func.max(_NEXT.subquery().c[0]))
_MISSING: dict[str, Any] = {
    "target_id": Target.id,
    "project_id": Target.project_id,
    "sha256": Target.sha256,
    "version": literal(VERSION),
    "status": literal(PENDING),
    "queued_at": literal(BEHIND),
}
# IGNORE: another worker may just add the same row, or the purge remove the target.
_ADD = (
    insert(Analysis)
    .prefix_with("IGNORE")
    .from_select(
        list(_MISSING),
        select(*_MISSING.values()).where(*_PART, ~exists().where(Analysis.target_id == Target.id)),
    )
)
_DIFFERS = or_(Analysis.sha256 != Target.sha256, Analysis.project_id != Target.project_id)
_CHANGED = select(Target.id).join(Analysis, Analysis.target_id == Target.id).where(*_PART, _DIFFERS)
_TARGET = (
    select(Target.id, Target.project_id, Target.sha256)
    .where(Target.id == bindparam("target_id"))
    .with_for_update(read=True)
)


class Backfill:
    """A search through all targets, batch by batch; anew after some time."""

    def __init__(self, scope: Scope, every: float = EVERY, batch: int = BATCH) -> None:
        self._scope, self._every, self._size = scope, every, batch
        self._reached = 0
        self._due = 0.0

    def step(self) -> bool:
        """Look at the next batch, if it is time; returns whether there are more."""
        if time.monotonic() < self._due:
            return False
        last = in_transaction(self._scope, self._batch)
        if last is None:
            self._reached, self._due = 0, time.monotonic() + self._every
            return False
        self._reached = last
        return True

    def _batch(self, db: Database) -> int | None:
        """Queue what is not queued of the next targets; the last one's id, None at the end."""
        last: int | None = db.read(_LAST, reached=self._reached, batch=self._size)[0][0]
        if last is not None:
            part = {"reached": self._reached, "last": last}
            db.write(_ADD, **part)
            for (target_id,) in db.read(_CHANGED, **part):
                for row in db.write(_TARGET, target_id=target_id).all():
                    analysis.queue(db, *row)
        return last
