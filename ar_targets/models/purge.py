"""Hard delete of expired and revoked rows, old audit entries, and rows soft-deleted long ago.

Rows are removed in batches, each a short transaction that locks the rows of its own primary keys
and nothing else, so that requests are not blocked. Each batch checks again that its rows are
still dead: a token may have been extended, a target restored. Concurrent purges share the work.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, false, func, or_, select, true, update

from ..db.session import Database, Scope, in_transaction
from .audit import Audit
from .noun import (
    DeletedWithParent,
    Expiring,
    Owned,
    Purgeable,
    Revisioned,
    Revocable,
    SoftDeletable,
    children,
    nouns,
)


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows of one table to remove, found in the order of an index."""

    name: str
    noun: Any
    dead: ColumnElement[bool]
    order: Any
    at_once: int | None = None

    def count(self, db: Database) -> int:
        """The number of rows to remove now."""
        number = select(func.count()).select_from(self.noun).where(self.dead)
        return int(db.read(number)[0][0])

    def remove(self, scope: Scope, at_once: int) -> Iterator[int]:
        """Remove all of them; yields the number removed after each batch."""
        at_once = min(at_once, self.at_once or at_once)
        reached: ColumnElement[bool] | None = None
        while True:
            batch = functools.partial(self._remove_batch, reached=reached, at_once=at_once)
            rows, removed = in_transaction(scope, batch)
            if not rows:
                return
            # Continue after the last row: InnoDB keeps the entries of removed rows for a while,
            # and a scan from the start would read them again each time.
            last_id, last = rows[-1]
            reached = (self.order >= last) & or_(self.order > last, self.noun.id > last_id)
            yield removed

    def _remove_batch(
        self, db: Database, *, reached: ColumnElement[bool] | None, at_once: int
    ) -> tuple[Sequence[Any], int]:
        """Remove the next rows; returns their ids and positions, and how many were still dead."""
        found = select(self.noun.id, self.order).where(self.dead)
        if reached is not None:
            found = found.where(reached)
        rows = db.read(found.order_by(self.order, self.noun.id).limit(at_once))
        ids = [row[0] for row in rows]
        statement = delete(self.noun).where(self.noun.id.in_(ids), self.dead)
        return rows, db.write(statement).rowcount if ids else 0


def useless(now: datetime) -> list[Removal]:
    """The removals of expired rows, tokens first, and of revoked rows."""
    removals = [
        Removal(noun.expired, noun, noun.expires_at <= now, noun.expires_at)
        for noun in reversed(nouns(Expiring))
    ]
    removals += [
        Removal(f"revoked {noun.plural}", noun, noun.revoked_at.is_not(None), noun.revoked_at)
        for noun in nouns(Revocable)
    ]
    return removals


def old_entries(before: datetime) -> Removal:
    """The removal of audit entries from before that time."""
    return Removal("old audit entries", Audit, Audit.at < before, Audit.at)


def old_deleted(db: Database, before: datetime, *, marked: bool) -> Iterator[Removal]:
    """The removals of rows deleted before that time, children first.

    With ``marked``, only those with `purged_at` set. A deletion that has not been committed yet
    is left for the next run.
    """
    for leaf in reversed(nouns(SoftDeletable)):
        if not issubclass(leaf, Purgeable):
            yield _removal(leaf, leaf.deleted_at < before, leaf.deleted_at)
    for noun in reversed(nouns(Purgeable)):
        old = noun.deleted_at < before
        empty: ColumnElement[bool] = true()
        if marked:
            # Includes rows that the admin panel has begun to remove, however recently deleted.
            old = noun.deleted_at.is_not(None) & noun.purged_at.is_not(None)
            # A concurrent purge may set purged_at on more rows, whose children this one has not
            # removed: it removes those itself.
            empty = ~_has_children(noun)
        for (row_id,) in db.read(select(noun.id).where(old).order_by(noun.id)):
            yield from inside(noun, row_id, before)
        yield _removal(noun, old & empty, noun.deleted_at)


def _removal(noun: type[SoftDeletable], dead: ColumnElement[bool], order: Any) -> Removal:
    return Removal(f"deleted {noun.plural}", noun, dead, order, noun.purge_batch)


def _has_children(noun: type[Revisioned]) -> ColumnElement[bool]:
    """The condition that a row has children, live or deleted."""
    exists = [
        select(child.id).where(child.parent_id() == noun.id).exists() for child in children(noun)
    ]
    return or_(false(), *exists)


def inside(noun: type[Purgeable], row_id: int, since: datetime | None = None) -> Iterator[Removal]:
    """The removals of a row's descendants, children first.

    Of those that were deleted by themselves, only those deleted since that time, or all.
    """
    for child, its in _below(noun, row_id):
        if not issubclass(child, SoftDeletable):
            yield Removal(f"{child.plural} of deleted {noun.plural}", child, its, child.id)
            continue
        # Live and deleted rows are separate ranges of the index.
        end = child.deleted_at
        yield _removal(child, its & child.alive(), child.id)
        yield _removal(child, its & (end.is_not(None) if since is None else end >= since), end)


def _below(noun: type[Revisioned], ids: Any) -> Iterator[tuple[type[Owned], ColumnElement[bool]]]:
    """The nouns of the descendants of these rows, children first, each with its condition.

    Without `DeletedWithParent`, whose rows are soft-deleted with the parent, and so have removals
    of their own.
    """
    for child in children(noun):
        if not issubclass(child, DeletedWithParent):
            key = child.parent_id()
            its = key == ids if isinstance(ids, int) else key.in_(ids)
            yield from _below(child, select(child.id).where(its))
            yield child, its


def mark_purged(scope: Scope, before: datetime, now: datetime, at_once: int) -> None:
    """Set ``purged_at`` on rows deleted before that time, so that none is restored half-removed."""
    for noun in nouns(Purgeable):
        old = (noun.deleted_at < before) & noun.purged_at.is_(None)
        batch = functools.partial(_mark_batch, noun=noun, old=old, now=now, at_once=at_once)
        while in_transaction(scope, batch) == at_once:
            pass


def _mark_batch(
    db: Database, *, noun: type[Purgeable], old: ColumnElement[bool], now: datetime, at_once: int
) -> int:
    """Set ``purged_at`` on a batch of rows; returns its size."""
    ids = [row[0] for row in db.read(select(noun.id).where(old).limit(at_once))]
    db.write(update(noun).where(noun.id.in_(ids), old).values(purged_at=now))
    return len(ids)
