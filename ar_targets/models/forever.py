"""Removal for good of one deleted user, project or target, for the admin panel.

It goes the way of the purge: first the row is put past restoring
(``purged_at``), then what hangs on it goes in batches, children first. Each
batch is a transaction of its own. What takes too long for one request goes on
with the next, or with the purge.
"""

import time
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, literal_column, select, update

from ..database import Database, Scope, in_transaction
from . import audit
from .browse import COUNTED
from .catalogue import DELETED_PROJECTS, DELETED_TARGETS, DELETED_USERS, DeletedRow
from .project import project
from .purge import Pile, inside
from .sql import render
from .statement import Query
from .target import target
from .token import token
from .user import user

# Seconds after which a removal lets the next request go on.
PATIENCE = 5.0
AT_ONCE = 500

TABLES: dict[str, Table] = {"user": user, "project": project, "target": target}
_BROWSERS = {"user": DELETED_USERS, "project": DELETED_PROJECTS, "target": DELETED_TARGETS}


class Losses(NamedTuple):
    """What would be gone; None for more than are counted."""

    projects: int | None
    tokens: int | None
    targets: int | None


def _find(noun: str) -> Query[DeletedRow]:
    table, browser = TABLES[noun], _BROWSERS[noun]
    return Query(
        DeletedRow._make,
        select(*browser.columns)
        .select_from(browser.source)
        .where(table.c.id == bindparam("id"), table.c.deleted_at.is_not(None)),
    )


_FIND = {noun: _find(noun) for noun in TABLES}


def find(db: Database, noun: str, row_id: int) -> DeletedRow | None:
    """The deleted row of that id."""
    return _FIND[noun].one(db, id=row_id)


def _bounded(statement: Select[Any]) -> str:
    """Count rows up to one more than are counted."""
    ids = statement.limit(literal_column(str(COUNTED + 1))).subquery()
    return render(select(func.count()).select_from(ids))


_PROJECT: ColumnElement[int] = bindparam("id")
_OWNER = project.c.owner_id == _PROJECT
_OWNED = project.join(target, target.c.project_id == project.c.id)
_OWNED_TOKENS = project.join(token, token.c.project_id == project.c.id)
_LOSSES = {
    "user": (
        _bounded(select(project.c.id).where(_OWNER)),
        _bounded(select(token.c.id).select_from(_OWNED_TOKENS).where(_OWNER)),
        _bounded(select(target.c.id).select_from(_OWNED).where(_OWNER)),
    ),
    "project": (
        None,
        _bounded(select(token.c.id).where(token.c.project_id == _PROJECT)),
        _bounded(select(target.c.id).where(target.c.project_id == _PROJECT)),
    ),
    "target": (None, None, None),
}


def losses(db: Database, noun: str, row_id: int) -> Losses:
    """What hangs on a deleted row."""

    def count(text: str | None) -> int | None:
        number = int(db.fetch(text, {"id": row_id})[0][0]) if text else 0
        return number if number <= COUNTED else None

    return Losses(*map(count, _LOSSES[noun]))


def remove(scope: Scope, noun: str, row_id: int, now: datetime) -> bool:
    """Begin or go on; whether all of it is gone."""
    table = TABLES[noun]
    this = (table.c.id == row_id) & table.c.deleted_at.is_not(None)
    project_ids = in_transaction(scope, lambda db: _doom(db, noun, row_id, this, now))
    piles = [pile for project_id in project_ids for pile in inside(project_id)]
    if noun == "user":
        owned = project.c.id.in_(project_ids)
        piles.append(Pile("projects", project, owned, project.c.id))
    piles.append(Pile(noun, table, this, table.c.id))
    deadline = time.monotonic() + PATIENCE
    for pile in piles:
        for _ in pile.remove(scope, AT_ONCE):
            if time.monotonic() > deadline:
                return False
    return True


def _doom(
    db: Database, noun: str, row_id: int, this: ColumnElement[bool], now: datetime
) -> list[int]:
    """Put it past restoring; the ids of the projects that go along."""
    if noun == "target":
        return []
    table = TABLES[noun]
    db.execute(update(table).where(this, table.c.purged_at.is_(None)).values(purged_at=now))
    if db.execute(select(table.c.id).where(this)).scalar() is None:
        # It is not in the trash: nothing of it is lost.
        return []
    if noun == "project":
        return [row_id]
    mine = (project.c.owner_id == row_id) & project.c.deleted_at.is_not(None)
    db.execute(update(project).where(mine, project.c.purged_at.is_(None)).values(purged_at=now))
    return list(db.execute(select(project.c.id).where(mine)).scalars())


def note(db: Database, now: datetime, noun: str, row: DeletedRow) -> None:
    """Tell the audit trail, once for a row, what has been removed; its deletion told the rest."""
    label = {"user": "login", "project": "name", "target": "description"}[noun]
    audit.record(db, now, "remove", noun, row.id, {label: row.label})
