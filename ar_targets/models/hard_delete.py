"""Removal for good of one deleted row, for the admin panel.

It goes the way of the purge: first the row is put past restoring
(``purged_at``), then what is below it goes in batches, children first. Each
batch is a transaction of its own. What takes too long for one request goes on
with the next, or with the purge.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, select, update

from ..db.session import Database, Scope, in_transaction
from . import audit
from .keyset import COUNTED
from .noun import Owned, Purgeable, Revisioned, SoftDeletable, children
from .panel_lists import DELETED, DeletedRow
from .purge import Removal, inside
from .soft_delete import deleted_along

# Seconds after which a removal lets the next request go on.
TIME_LIMIT = 5.0
AT_ONCE = 500


def find(db: Database, noun: type[SoftDeletable], row_id: int) -> DeletedRow | None:
    """The deleted row of that id."""
    deleted = DELETED[noun.__tablename__]
    statement: Select[Any] = select(*deleted.columns).select_from(deleted.source)
    rows = db.read(statement.where(noun.id == row_id, noun.deleted_at.is_not(None)))
    return DeletedRow._make(rows[0]) if rows else None


def losses(db: Database, noun: type[SoftDeletable], row_id: int) -> Mapping[str, int | None]:
    """How many rows of each other noun would be gone with a row; None for more than are counted."""

    def count(ids: Select[int]) -> int | None:
        some = ids.limit(literal_column(str(COUNTED + 1))).subquery()
        number = int(db.read(select(func.count()).select_from(some))[0][0])
        return number if number <= COUNTED else None

    return {
        below.plural: count(ids)
        for below, ids in _below(noun, select(noun.id).where(noun.id == row_id))
    }


def _below(noun: type[Revisioned], ids: Any) -> Iterator[tuple[type[Owned], Select[int]]]:
    """The nouns below some rows, at any depth, and the ids of their rows."""
    for child in children(noun):
        its = select(child.id).where(child.parent_id().in_(ids))
        yield child, its
        yield from _below(child, its)


def remove(scope: Scope, noun: type[SoftDeletable], row_id: int, now: datetime) -> bool:
    """Begin or go on; whether all of it is gone."""
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
    """Put deleted rows past restoring, with those deleted along; all of them, children first."""
    these = noun.id.in_(ids) & noun.deleted_at.is_not(None)
    if issubclass(noun, Purgeable):
        db.write(update(noun).where(these, noun.purged_at.is_(None)).values(purged_at=now))
    # None for what has been restored meanwhile: nothing of it is lost.
    ids = [row[0] for row in db.read(select(noun.id).where(these))]
    for child in deleted_along(noun):
        below = select(child.id).where(child.parent_id().in_(ids))
        yield from _mark(db, child, [row[0] for row in db.read(below)], now)
    yield noun, ids


def _removals(marked: list[tuple[type[SoftDeletable], list[int]]]) -> Iterator[Removal]:
    """What is removed of these rows and below them, in the order in which that is possible."""
    for noun, ids in marked:
        if issubclass(noun, Purgeable):
            for row_id in ids:
                yield from inside(noun, row_id)
        these = noun.id.in_(ids) & noun.deleted_at.is_not(None)
        yield Removal(noun.plural, noun, these, noun.id)


def note(db: Database, now: datetime, noun: type[SoftDeletable], row: DeletedRow) -> None:
    """Tell the audit trail, once for a row, what has been removed; its deletion told the rest."""
    audit.record(db, now, "remove", noun, row.id, {noun.label: row.label})
