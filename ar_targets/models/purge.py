"""Removal for good: what is dead, what is old, and what was deleted long ago.

Everything goes in batches, each a short transaction that locks the rows of
its own primary keys and nothing else, so that requests go on meanwhile. Each
batch asks once more whether its rows are still dead: a token may have been
extended, a target restored. Two purges at once share the work.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, true, update

from ..database import Database, Scope, in_transaction
from .attempt import attempt
from .audit import audit
from .project import project
from .target import target
from .token import token
from .user import user

# Images are freed page by page: a few at a time keep a transaction short.
TARGETS_AT_ONCE = 50
TARGETS = "deleted targets"


@dataclass(frozen=True, slots=True)
class Pile:
    """Rows of one table to remove, found in the order of an index."""

    name: str
    table: Table
    dead: ColumnElement[bool]
    order: Any
    at_once: int | None = None

    def count(self, db: Database) -> int:
        """How many there are now."""
        number = select(func.count()).select_from(self.table).where(self.dead)
        return db.execute(number).scalar() or 0

    def remove(self, scope: Scope, at_once: int) -> Iterator[int]:
        """Remove all of them; yields the number removed after each batch."""
        at_once = min(at_once, self.at_once or at_once)
        reached: ColumnElement[bool] | None = None
        while True:
            batch = functools.partial(self._remove_batch, reached=reached, at_once=at_once)
            rows, removed = in_transaction(scope, batch)
            if not rows:
                return
            # Go on from here, not from the start: InnoDB keeps the entries of
            # removed rows for a while, and would read them again each time.
            last_id, last = rows[-1]
            reached = (self.order >= last) & or_(self.order > last, self.table.c.id > last_id)
            yield removed

    def _remove_batch(
        self, db: Database, *, reached: ColumnElement[bool] | None, at_once: int
    ) -> tuple[Sequence[Any], int]:
        """The ids and moments of the next rows, and how many of them were still dead."""
        found = select(self.table.c.id, self.order).where(self.dead)
        if reached is not None:
            found = found.where(reached)
        rows: Any = db.execute(found.order_by(self.order, self.table.c.id).limit(at_once)).all()
        ids = [row[0] for row in rows]
        doomed = delete(self.table).where(self.table.c.id.in_(ids), self.dead)
        result: Any = db.execute(doomed) if ids else None
        return rows, int(result.rowcount) if ids else 0


def dead_tokens(now: datetime) -> list[Pile]:
    """Expired and revoked tokens."""
    return [
        Pile("expired tokens", token, token.c.expires_at <= now, token.c.expires_at),
        Pile("revoked tokens", token, token.c.revoked_at.is_not(None), token.c.revoked_at),
    ]


def old_attempts(now: datetime) -> Pile:
    """Attempts to log in that no longer count."""
    return Pile("old login attempts", attempt, attempt.c.expires_at <= now, attempt.c.expires_at)


def old_entries(before: datetime) -> Pile:
    """Entries of the audit trail from before that moment."""
    return Pile("old audit entries", audit, audit.c.at < before, audit.c.at)


def old_trash(db: Database, before: datetime, *, doomed: bool) -> Iterator[Pile]:
    """What was deleted before that moment, children first; with ``doomed`` only what is doomed.

    A deletion that was under way when its moment had passed is left for the next time.
    """

    def old(table: Table) -> ColumnElement[bool]:
        if not doomed:
            return table.c.deleted_at < before
        # What the admin panel has begun to remove is gone on with, however young it is.
        return table.c.deleted_at.is_not(None) & table.c.purged_at.is_not(None)

    yield Pile(TARGETS, target, target.c.deleted_at < before, target.c.deleted_at, TARGETS_AT_ONCE)
    projects = select(project.c.id).where(old(project)).order_by(project.c.id)
    for project_id in db.execute(projects).scalars().all():
        yield from inside(project_id, before)
    # Another purge may doom some meanwhile, whose children we have not removed: those are its own.
    has_target = select(target.c.id).where(target.c.project_id == project.c.id).exists()
    has_token = select(token.c.id).where(token.c.project_id == project.c.id).exists()
    has_project = select(project.c.id).where(project.c.owner_id == user.c.id).exists()
    empty_project = ~has_target & ~has_token if doomed else true()
    empty_user = ~has_project if doomed else true()
    yield Pile("deleted projects", project, old(project) & empty_project, project.c.deleted_at)
    yield Pile("deleted users", user, old(user) & empty_user, user.c.deleted_at)


def inside(project_id: int, since: datetime | None = None) -> Iterator[Pile]:
    """What a project takes along; of the deleted targets those deleted since that moment, or all.

    Live and deleted targets lie apart in the index.
    """
    its_targets, its_tokens = target.c.project_id == project_id, token.c.project_id == project_id
    live = its_targets & target.c.deleted_at.is_(None)
    end = target.c.deleted_at
    deleted = its_targets & (end.is_not(None) if since is None else end >= since)
    yield Pile(TARGETS, target, live, target.c.id, TARGETS_AT_ONCE)
    yield Pile(TARGETS, target, deleted, end, TARGETS_AT_ONCE)
    yield Pile("tokens of deleted projects", token, its_tokens, token.c.id)


def doom(scope: Scope, before: datetime, now: datetime, at_once: int) -> None:
    """Put what was deleted before that moment past restoring, so that no half can come back."""
    for table in (user, project):
        old = (table.c.deleted_at < before) & table.c.purged_at.is_(None)
        batch = functools.partial(_doom_batch, table=table, old=old, now=now, at_once=at_once)
        while in_transaction(scope, batch) == at_once:
            pass


def _doom_batch(
    db: Database, *, table: Table, old: ColumnElement[bool], now: datetime, at_once: int
) -> int:
    """Doom some; how many there were."""
    ids = db.execute(select(table.c.id).where(old).limit(at_once)).scalars().all()
    db.execute(update(table).where(table.c.id.in_(ids), old).values(purged_at=now))
    return len(ids)
