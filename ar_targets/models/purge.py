"""Removal for good: what is of no use any more, what is old, and what was deleted long ago.

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
        """How many there are now."""
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
            # Go on from here, not from the start: InnoDB keeps the entries of
            # removed rows for a while, and would read them again each time.
            last_id, last = rows[-1]
            reached = (self.order >= last) & or_(self.order > last, self.noun.id > last_id)
            yield removed

    def _remove_batch(
        self, db: Database, *, reached: ColumnElement[bool] | None, at_once: int
    ) -> tuple[Sequence[Any], int]:
        """The ids and moments of the next rows, and how many of them were still dead."""
        found = select(self.noun.id, self.order).where(self.dead)
        if reached is not None:
            found = found.where(reached)
        rows = db.read(found.order_by(self.order, self.noun.id).limit(at_once))
        ids = [row[0] for row in rows]
        doomed = delete(self.noun).where(self.noun.id.in_(ids), self.dead)
        return rows, db.write(doomed).rowcount if ids else 0


def useless(now: datetime) -> list[Removal]:
    """What has expired, and what is revoked; tokens first."""
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
    """Entries of the audit trail from before that moment."""
    return Removal("old audit entries", Audit, Audit.at < before, Audit.at)


def old_deleted(db: Database, before: datetime, *, marked: bool) -> Iterator[Removal]:
    """What was deleted before that moment, children first; with ``marked`` only with `purged_at`.

    A deletion that was under way when its moment had passed is left for the next time.
    """
    for leaf in reversed(nouns(SoftDeletable)):
        if not issubclass(leaf, Purgeable):
            yield _removal(leaf, leaf.deleted_at < before, leaf.deleted_at)
    for noun in reversed(nouns(Purgeable)):
        old = noun.deleted_at < before
        empty: ColumnElement[bool] = true()
        if marked:
            # What the admin panel has begun to remove is gone on with, however young it is.
            old = noun.deleted_at.is_not(None) & noun.purged_at.is_not(None)
            # Another purge may mark some meanwhile, whose children we have not removed: those
            # are its own.
            empty = ~_has_children(noun)
        for (row_id,) in db.read(select(noun.id).where(old).order_by(noun.id)):
            yield from inside(noun, row_id, before)
        yield _removal(noun, old & empty, noun.deleted_at)


def _removal(noun: type[SoftDeletable], dead: ColumnElement[bool], order: Any) -> Removal:
    return Removal(f"deleted {noun.plural}", noun, dead, order, noun.purge_batch)


def _has_children(noun: type[Revisioned]) -> ColumnElement[bool]:
    """Whether a row has others below it, live or not."""
    exists = [
        select(child.id).where(child.parent_id() == noun.id).exists() for child in children(noun)
    ]
    return or_(false(), *exists)


def inside(noun: type[Purgeable], row_id: int, since: datetime | None = None) -> Iterator[Removal]:
    """What goes with a row, children first.

    Of what was deleted by itself that is what was deleted since that moment, or all.
    """
    for child, its in _below(noun, row_id):
        if not issubclass(child, SoftDeletable):
            yield Removal(f"{child.plural} of deleted {noun.plural}", child, its, child.id)
            continue
        # Live and deleted rows lie apart in the index.
        end = child.deleted_at
        yield _removal(child, its & child.alive(), child.id)
        yield _removal(child, its & (end.is_not(None) if since is None else end >= since), end)


def _below(noun: type[Revisioned], ids: Any) -> Iterator[tuple[type[Owned], ColumnElement[bool]]]:
    """The nouns that lose rows with these rows, children first; and which ones.

    Those that are `DeletedWithParent` are marked, and so removed by themselves.
    """
    for child in children(noun):
        if not issubclass(child, DeletedWithParent):
            key = child.parent_id()
            its = key == ids if isinstance(ids, int) else key.in_(ids)
            yield from _below(child, select(child.id).where(its))
            yield child, its


def mark_purged(scope: Scope, before: datetime, now: datetime, at_once: int) -> None:
    """Put what was deleted before that moment past restoring, so that no half can come back."""
    for noun in nouns(Purgeable):
        old = (noun.deleted_at < before) & noun.purged_at.is_(None)
        batch = functools.partial(_mark_batch, noun=noun, old=old, now=now, at_once=at_once)
        while in_transaction(scope, batch) == at_once:
            pass


def _mark_batch(
    db: Database, *, noun: type[Purgeable], old: ColumnElement[bool], now: datetime, at_once: int
) -> int:
    """Mark some; how many there were."""
    ids = [row[0] for row in db.read(select(noun.id).where(old).limit(at_once))]
    db.write(update(noun).where(noun.id.in_(ids), old).values(purged_at=now))
    return len(ids)
