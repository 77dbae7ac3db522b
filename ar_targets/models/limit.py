"""Limits that keep one caller from taking all: projects a user, targets a project, bytes a user.

Use is counted before something is added, and not kept in a column: writers of one project would
wait for each other at such a row, and on a cluster conflict. Nor is it counted each time: while
much is left, each process adds a small part of it (`PART`) before it counts again. So processes may
pass a limit together by that part at most, and requests at the same moment by what they add.
"""

import threading
from collections.abc import Callable

from ..db.session import Database
from ..settings import PREFIX, Settings
from . import usage
from .project import ProjectRecord
from .usage import Name

# The part of what is left that a process adds before it counts again: nothing where little is left.
PART = 100
# Users and projects of which a process remembers what may be added.
REMEMBERED = 10_000

SETTINGS: dict[Name, str] = {
    "projects": "projects_per_user",
    "targets": "targets_per_project",
    "bytes": "bytes_per_user",
}
REACHED: dict[Name, str] = {
    "projects": "the limit of projects is {most} for a user, and there are {used}",
    "targets": "the limit of image targets is {most} for a project, and there are {used}",
    "bytes": "the limit of bytes is {most} for a user; {used} are stored, this takes {more} more",
}
COUNTED = "what is deleted counts until it is purged; the operator may raise"


class LimitReachedError(Exception):
    """There is no room below a limit; the message is for users."""

    def __init__(self, name: Name, used: int, most: int, more: int) -> None:
        told = REACHED[name].format(used=used, most=most, more=more)
        super().__init__(f"{told} ({COUNTED} {PREFIX}{SETTINGS[name]})")
        self.name = name


class Limits:
    """The limits of the settings, and what this process may add before it counts again."""

    def __init__(self, settings: Settings) -> None:
        self.most: dict[Name, int] = {
            name: getattr(settings, setting) for name, setting in SETTINGS.items()
        }
        self._lock = threading.Lock()
        self._room: dict[tuple[Name, int], int] = {}

    def require_project(self, db: Database, owner_id: int, growth: int = 0) -> None:
        """Raise LimitReachedError unless a user may have one more project, with so many bytes."""
        self._require("projects", owner_id, 1, lambda: usage.projects(db, owner_id))
        self.require_bytes(db, owner_id, growth)

    def require_target(self, db: Database, project: ProjectRecord, growth: int) -> None:
        """Raise LimitReachedError unless a project may have one more target, with so many bytes."""
        count = lambda: usage.of_project(db, project.id).targets  # noqa: E731
        self._require("targets", project.id, 1, count)
        self.require_bytes(db, project.owner_id, growth)

    def require_bytes(self, db: Database, owner_id: int, growth: int) -> None:
        """Raise LimitReachedError unless a user may store so many bytes more."""
        if growth > 0:
            self._require("bytes", owner_id, growth, lambda: usage.owners_bytes(db, owner_id))

    def _require(self, name: Name, row_id: int, more: int, count: Callable[[], int]) -> None:
        if self._take(name, row_id, more):
            return
        used, most = count(), self.most[name]
        if used + more > most:
            raise LimitReachedError(name, used, most, more)
        with self._lock:
            if len(self._room) >= REMEMBERED:
                self._room.clear()
            self._room[name, row_id] = (most - used - more) // PART

    def _take(self, name: Name, row_id: int, more: int) -> bool:
        """Whether it may be added without counting."""
        with self._lock:
            room = self._room.get((name, row_id), 0)
            if more > room:
                return False
            self._room[name, row_id] = room - more
            return True
