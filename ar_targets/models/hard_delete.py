"""Removal for good of one deleted user, project or target, for the admin panel.

It goes the way of the purge: first the row is put past restoring
(``purged_at``), then what hangs on it goes in batches, children first. Each
batch is a transaction of its own. What takes too long for one request goes on
with the next, or with the purge.
"""

import time
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, update

from ..db.session import Database, Scope, in_transaction
from . import audit
from .keyset import COUNTED
from .panel_lists import DELETED_PROJECTS, DELETED_TARGETS, DELETED_USERS, DeletedRow
from .project import Project
from .purge import Pile, inside
from .target import Target
from .token import Token
from .user import User

# Seconds after which a removal lets the next request go on.
PATIENCE = 5.0
AT_ONCE = 500

NOUNS: dict[str, Any] = {"user": User, "project": Project, "target": Target}
_BROWSERS = {"user": DELETED_USERS, "project": DELETED_PROJECTS, "target": DELETED_TARGETS}


class Losses(NamedTuple):
    """What would be gone; None for more than are counted."""

    projects: int | None
    tokens: int | None
    targets: int | None


def _find(noun: str) -> Select[Any]:
    cls, browser = NOUNS[noun], _BROWSERS[noun]
    return (
        select(*browser.columns)
        .select_from(browser.source)
        .where(cls.id == bindparam("row_id"), cls.deleted_at.is_not(None))
    )


_FIND = {noun: _find(noun) for noun in NOUNS}


def find(db: Database, noun: str, row_id: int) -> DeletedRow | None:
    """The deleted row of that id."""
    rows = db.read(_FIND[noun], row_id=row_id)
    return DeletedRow._make(rows[0]) if rows else None


def _bounded(statement: Select[Any]) -> Select[int]:
    """Count rows up to one more than are counted."""
    ids = statement.limit(literal_column(str(COUNTED + 1))).subquery()
    return select(func.count()).select_from(ids)


_PROJECT: ColumnElement[int] = bindparam("row_id")
_OWNED = Project.owner_id == _PROJECT
_OWNED_TOKENS = select(Token.id).join(Project, Token.project_id == Project.id).where(_OWNED)
_OWNED_TARGETS = select(Target.id).join(Project, Target.project_id == Project.id).where(_OWNED)
_LOSSES = {
    "user": (
        _bounded(select(Project.id).where(_OWNED)),
        _bounded(_OWNED_TOKENS),
        _bounded(_OWNED_TARGETS),
    ),
    "project": (
        None,
        _bounded(select(Token.id).where(Token.project_id == _PROJECT)),
        _bounded(select(Target.id).where(Target.project_id == _PROJECT)),
    ),
    "target": (None, None, None),
}


def losses(db: Database, noun: str, row_id: int) -> Losses:
    """What hangs on a deleted row."""

    def count(statement: Select[int] | None) -> int | None:
        number = 0 if statement is None else int(db.read(statement, row_id=row_id)[0][0])
        return number if number <= COUNTED else None

    return Losses(*map(count, _LOSSES[noun]))


def remove(scope: Scope, noun: str, row_id: int, now: datetime) -> bool:
    """Begin or go on; whether all of it is gone."""
    cls = NOUNS[noun]
    this = (cls.id == row_id) & cls.deleted_at.is_not(None)
    project_ids = in_transaction(scope, lambda db: _doom(db, noun, row_id, this, now))
    piles = [pile for project_id in project_ids for pile in inside(project_id)]
    if noun == "user":
        owned = Project.id.in_(project_ids)
        piles.append(Pile("projects", Project, owned, Project.id))
    piles.append(Pile(noun, cls, this, cls.id))
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
    cls = NOUNS[noun]
    db.write(update(cls).where(this, cls.purged_at.is_(None)).values(purged_at=now))
    if not db.read(select(cls.id).where(this)):
        # It is not in the trash: nothing of it is lost.
        return []
    if noun == "project":
        return [row_id]
    mine = (Project.owner_id == row_id) & Project.deleted_at.is_not(None)
    db.write(update(Project).where(mine, Project.purged_at.is_(None)).values(purged_at=now))
    return [row[0] for row in db.read(select(Project.id).where(mine))]


def note(db: Database, now: datetime, noun: str, row: DeletedRow) -> None:
    """Tell the audit trail, once for a row, what has been removed; its deletion told the rest."""
    label = {"user": "login", "project": "name", "target": "description"}[noun]
    audit.record(db, now, "remove", NOUNS[noun], row.id, {label: row.label})
