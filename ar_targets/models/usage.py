"""What users and projects use of the limits: projects, image targets, and bytes.

Bytes are those of images and of metadata. What is deleted counts until it is purged, since it takes
its place until then.
"""

import math
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from ..db.session import Database
from .project import Project
from .target import Target
from .user import User

# `projects` and `bytes` are counted by user, `targets` by project.
Name = Literal["projects", "targets", "bytes"]
# The part of a limit from which on a user or project is near it.
NEAR = 0.8
# Seconds for which a process keeps the numbers of those. At a million targets it takes a second.
KEPT_SECONDS = 600


class ProjectUsage(NamedTuple):
    """The image targets of a project, and their bytes."""

    targets: int
    bytes: int


class Use(NamedTuple):
    """What a user, or for `targets` a project, uses of a limit."""

    limit: Name
    # Of the user or project, and its login or name.
    id: int
    title: str
    used: int
    most: int


# Both servers would read rows without it.
_BY_USE = "FORCE INDEX (ix_target_project_id_size_metadata_size)"
_BYTES = func.coalesce(func.sum(Target.size + Target.metadata_size), 0)

_PROJECT = (
    select(func.count(), _BYTES)
    .select_from(Target)
    .with_hint(Target, _BY_USE)
    .where(Target.project_id == bindparam("project_id"))
)
_PROJECTS = (
    select(func.count()).select_from(Project).where(Project.owner_id == bindparam("owner_id"))
)
_OWNERS_BYTES = (
    select(_BYTES)
    .prefix_with("STRAIGHT_JOIN")
    .select_from(Project)
    .join(Target, Target.project_id == Project.id)
    .with_hint(Target, _BY_USE)
    .where(Project.owner_id == bindparam("owner_id"))
)


def of_project(db: Database, project_id: int) -> ProjectUsage:
    """The use of a project."""
    (targets, size) = db.read(_PROJECT, project_id=project_id)[0]
    return ProjectUsage(int(targets), int(size))


def projects(db: Database, owner_id: int) -> int:
    """The number of a user's projects."""
    return int(db.read(_PROJECTS, owner_id=owner_id)[0][0])


def owners_bytes(db: Database, owner_id: int) -> int:
    """The bytes in all projects of a user."""
    return int(db.read(_OWNERS_BYTES, owner_id=owner_id)[0][0])


def near(
    db: Database, limits: Mapping[Name, int], count: int, owner_id: int | None = None
) -> list[Use]:
    """The users and projects that are near a limit, or past it: ``count`` of each limit at most.

    Those of one user, or of all. Of each limit, the largest use first.
    """
    found = []
    for name, most in limits.items():
        statement = _near(name, most, owner_id)
        largest = statement.order_by(statement.selected_columns[2].desc()).limit(count)
        found += [Use(name, row[0], row[1], int(row[2]), most) for row in db.read(largest)]
    return found


def near_counts(db: Database, limits: Mapping[Name, int]) -> dict[Name, int]:
    """How many users and projects are near each limit, or past it."""
    counts = {}
    for name, most in limits.items():
        number = select(func.count()).select_from(_near(name, most).subquery())
        counts[name] = int(db.read(number)[0][0])
    return counts


class NearCounts:
    """How many users and projects are near a limit; counted now and then, from a whole index."""

    def __init__(self, limits: Mapping[Name, int]) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._counts: dict[Name, int] = {}
        self._holds_until = -math.inf

    def get(self, db: Database) -> dict[Name, int]:
        """The counts of the last `KEPT_SECONDS`."""
        with self._lock:
            if time.monotonic() >= self._holds_until:
                self._counts = near_counts(db, self._limits)
                self._holds_until = time.monotonic() + KEPT_SECONDS
            return self._counts


def _near(name: Name, most: int, owner_id: int | None = None) -> Select[Any]:
    """The statement for ids, titles and uses of those that are near a limit."""
    if name == "projects":
        return _by_owner(func.count(), most, owner_id)
    targets, size = func.count().label("targets"), _BYTES.label("bytes")
    sums = select(Target.project_id, targets, size).with_hint(Target, _BY_USE)
    if owner_id is not None:
        sums = sums.where(Target.project_id.in_(select(Project.id).filter_by(owner_id=owner_id)))
    inside = sums.group_by(Target.project_id).subquery()
    its = inside.c.project_id == Project.id
    if name == "bytes":
        return _by_owner(func.sum(inside.c.bytes), most, owner_id).join(inside, its)
    of_projects: Select[Any] = select(Project.id, Project.name, inside.c.targets).join(inside, its)
    return of_projects.where(inside.c.targets >= most * NEAR)


def _by_owner(used: ColumnElement[Any], most: int, owner_id: int | None) -> Select[Any]:
    """Users whose projects use a limit nearly, or more."""
    found: Select[Any] = (
        select(Project.owner_id, func.max(User.login), used.label("used"))
        .join_from(Project, User, User.id == Project.owner_id)
        .group_by(Project.owner_id)
        .having(used >= most * NEAR)
    )
    return found if owner_id is None else found.where(Project.owner_id == owner_id)
