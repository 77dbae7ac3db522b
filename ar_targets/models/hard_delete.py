"""Hard delete of one soft-deleted row, for the admin panel.

It works as the purge does: first ``purged_at`` is set, so that the row cannot be restored, then
its descendants are removed in batches, children first. Each batch is a transaction of its own. If
it takes too long for one request, the next one continues, or the purge.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, select, update

from ..db.session import Database, Scope, in_transaction
from . import audit
from .noun import Owned, Purgeable, Revisioned, SoftDeletable, children
from .purge import Removal, inside
from .soft_delete import deleted_along

# Seconds after which a request stops, for the next one to continue.
TIME_LIMIT = 5.0
AT_ONCE = 500
# Maximum of an exact count.
COUNTED = 10_000


def losses(db: Database, noun: type[SoftDeletable], row_id: int) -> Mapping[str, int | None]:
    """How many rows of each other noun a hard delete removes; None above `COUNTED`."""

    def count(ids: Select[int]) -> int | None:
        some = ids.limit(literal_column(str(COUNTED + 1))).subquery()
        number = int(db.read(select(func.count()).select_from(some))[0][0])
        return number if number <= COUNTED else None

    return {
        below.plural: count(ids)
        for below, ids in _below(noun, select(noun.id).where(noun.id == row_id))
    }


def _below(noun: type[Revisioned], ids: Any) -> Iterator[tuple[type[Owned], Select[int]]]:
    """The nouns of all descendants of some rows, and the ids of their rows."""
    for child in children(noun):
        its = select(child.id).where(child.parent_id().in_(ids))
        yield child, its
        yield from _below(child, its)


def remove(scope: Scope, noun: type[SoftDeletable], row_id: int, now: datetime) -> bool:
    """Begin or continue the removal; returns whether it is complete."""
    marked = in_transaction(scope, lambda db: list(_mark(db, noun, [row_id], now)))
    deadline = time.monotonic() + TIME_LIMIT
    for removal in _removals(marked):
        for _ in removal.remove(scope, AT_ONCE):
            if time.monotonic() > deadline:
                return False
    return True


def _mark(
    db: Database, noun: type[SoftDeletable], ids: list[int], now: datetime
) -> Iterator[tuple[type[SoftDeletable], list[int]]]:
    """Set ``purged_at`` on deleted rows and those deleted with them; yields all, children first."""
    these = noun.id.in_(ids) & noun.deleted_at.is_not(None)
    if issubclass(noun, Purgeable):
        db.write(update(noun).where(these, noun.purged_at.is_(None)).values(purged_at=now))
    # A row that has been restored meanwhile is not found: nothing of it is removed.
    ids = [row[0] for row in db.read(select(noun.id).where(these))]
    for child in deleted_along(noun):
        below = select(child.id).where(child.parent_id().in_(ids))
        yield from _mark(db, child, [row[0] for row in db.read(below)], now)
    yield noun, ids


def _removals(marked: list[tuple[type[SoftDeletable], list[int]]]) -> Iterator[Removal]:
    """The removals of these rows and their descendants, in the order that foreign keys require."""
    for noun, ids in marked:
        if issubclass(noun, Purgeable):
            for row_id in ids:
                yield from inside(noun, row_id)
        these = noun.id.in_(ids) & noun.deleted_at.is_not(None)
        yield Removal(noun.plural, noun, these, noun.id)


def note(db: Database, now: datetime, noun: type[SoftDeletable], row: Any) -> None:
    """Write the audit entry of a hard delete, with the row's label; called once for a row."""
    audit.record(db, now, "remove", noun, row.id, {noun.label: getattr(row, noun.label)})
