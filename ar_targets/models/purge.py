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

from sqlalchemy import ColumnElement, delete, func, or_, select, true, update

from ..db.base import Purgeable
from ..db.session import Database, Scope, in_transaction
from .audit import Audit
from .login_attempt import LoginAttempt
from .project import Project
from .target import Target
from .token import Token
from .user import User

# Images are freed page by page: a few at a time keep a transaction short.
TARGETS_AT_ONCE = 50
TARGETS = "deleted targets"


@dataclass(frozen=True, slots=True)
class Pile:
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


def dead_tokens(now: datetime) -> list[Pile]:
    """Expired and revoked tokens."""
    return [
        Pile("expired tokens", Token, Token.expires_at <= now, Token.expires_at),
        Pile("revoked tokens", Token, Token.revoked_at.is_not(None), Token.revoked_at),
    ]


def old_attempts(now: datetime) -> Pile:
    """Attempts to log in that no longer count."""
    return Pile(
        "old login attempts", LoginAttempt, LoginAttempt.expires_at <= now, LoginAttempt.expires_at
    )


def old_entries(before: datetime) -> Pile:
    """Entries of the audit trail from before that moment."""
    return Pile("old audit entries", Audit, Audit.at < before, Audit.at)


def old_trash(db: Database, before: datetime, *, doomed: bool) -> Iterator[Pile]:
    """What was deleted before that moment, children first; with ``doomed`` only what is doomed.

    A deletion that was under way when its moment had passed is left for the next time.
    """

    def old(noun: type[Purgeable]) -> ColumnElement[bool]:
        if not doomed:
            return noun.deleted_at < before
        # What the admin panel has begun to remove is gone on with, however young it is.
        return noun.deleted_at.is_not(None) & noun.purged_at.is_not(None)

    yield Pile(TARGETS, Target, Target.deleted_at < before, Target.deleted_at, TARGETS_AT_ONCE)
    projects = select(Project.id).where(old(Project)).order_by(Project.id)
    for (project_id,) in db.read(projects):
        yield from inside(project_id, before)
    # Another purge may doom some meanwhile, whose children we have not removed: those are its own.
    has_target = select(Target.id).where(Target.project_id == Project.id).exists()
    has_token = select(Token.id).where(Token.project_id == Project.id).exists()
    has_project = select(Project.id).where(Project.owner_id == User.id).exists()
    empty_project = ~has_target & ~has_token if doomed else true()
    empty_user = ~has_project if doomed else true()
    yield Pile("deleted projects", Project, old(Project) & empty_project, Project.deleted_at)
    yield Pile("deleted users", User, old(User) & empty_user, User.deleted_at)


def inside(project_id: int, since: datetime | None = None) -> Iterator[Pile]:
    """What a project takes along; of the deleted targets those deleted since that moment, or all.

    Live and deleted targets lie apart in the index.
    """
    its_targets, its_tokens = Target.project_id == project_id, Token.project_id == project_id
    live = its_targets & Target.alive()
    end = Target.deleted_at
    deleted = its_targets & (end.is_not(None) if since is None else end >= since)
    yield Pile(TARGETS, Target, live, Target.id, TARGETS_AT_ONCE)
    yield Pile(TARGETS, Target, deleted, end, TARGETS_AT_ONCE)
    yield Pile("tokens of deleted projects", Token, its_tokens, Token.id)


def doom(scope: Scope, before: datetime, now: datetime, at_once: int) -> None:
    """Put what was deleted before that moment past restoring, so that no half can come back."""
    for noun in (User, Project):
        old = (noun.deleted_at < before) & noun.purged_at.is_(None)
        batch = functools.partial(_doom_batch, noun=noun, old=old, now=now, at_once=at_once)
        while in_transaction(scope, batch) == at_once:
            pass


def _doom_batch(
    db: Database, *, noun: Any, old: ColumnElement[bool], now: datetime, at_once: int
) -> int:
    """Doom some; how many there were."""
    ids = [row[0] for row in db.read(select(noun.id).where(old).limit(at_once))]
    db.write(update(noun).where(noun.id.in_(ids), old).values(purged_at=now))
    return len(ids)
