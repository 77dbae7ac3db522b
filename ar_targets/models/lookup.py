"""Authenticates tokens and reads the rows named by the path: one statement per kind of token.

Joining the rows that a path names to the row that authenticates the caller answers most requests
in one round trip, and saves one in the others. Where the path names none of them, a shorter
statement is used.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, select

from ..db.session import Database
from . import project as projects
from . import target as targets
from . import token as tokens
from .member import Member
from .project import Project, ProjectRecord
from .target import Target, TargetRecord
from .token import Token, TokenRecord
from .user import User


class UserAccess(NamedTuple):
    """The live user of a login token, and the live project and its token that the path names.

    ``role`` is the user's in the project; None where the user is no member of it.
    """

    user_id: int
    role: str | None = None
    project: ProjectRecord | None = None
    token: TokenRecord | None = None


class ProjectAccess(NamedTuple):
    """The live project of a project token, and its live target that the path names."""

    token_id: int
    access: str
    project: ProjectRecord
    target: TargetRecord | None = None
    # The target's large columns that were asked for, by name.
    large: dict[str, Any] | None = None


_PROJECT, _TARGET = len(projects.COLUMNS), len(targets.COLUMNS)

_BY_LOGIN = (
    select(User.id)
    .select_from(User)
    .where(
        User.id == bindparam("user_id"),
        User.password_version == bindparam("password_version"),
        User.alive(),
    )
)
_BY_LOGIN_BELOW = (
    _BY_LOGIN.add_columns(Member.role, *projects.COLUMNS, *tokens.COLUMNS)
    .outerjoin(Project, and_(Project.id == bindparam("project_id"), Project.alive()))
    .outerjoin(Member, and_(Member.project_id == Project.id, Member.user_id == User.id))
    .outerjoin(Token, and_(Token.id == bindparam("token_id"), Token.project_id == Project.id))
)
_BY_TOKEN = (
    select(Token.id, Token.access, *projects.COLUMNS)
    .select_from(Token)
    .join(Project, Project.id == Token.project_id)
    .join(User, User.id == Project.owner_id)
    .where(
        Token.jti == bindparam("jti"),
        Token.project_id == bindparam("project_id"),
        Token.revoked_at.is_(None),
        Token.expires_at > bindparam("now"),
        Project.alive(),
        User.alive(),
    )
)
_BY_TOKEN_BELOW = _BY_TOKEN.add_columns(*targets.COLUMNS).outerjoin(
    Target,
    and_(
        Target.id == bindparam("target_id"),
        Target.project_id == Project.id,
        Target.alive(),
    ),
)


def by_login(
    db: Database,
    user_id: int,
    password_version: int,
    project_id: int | None,
    token_id: int | None,
) -> UserAccess | None:
    """The rows for a login token; None if the user is deleted or has a new password."""
    caller = {"user_id": user_id, "password_version": password_version}
    if project_id is None:
        rows = db.read(_BY_LOGIN, **caller)
        return UserAccess(rows[0][0]) if rows else None
    rows = db.read(_BY_LOGIN_BELOW, **caller, project_id=project_id, token_id=token_id)
    if not rows:
        return None
    found, role, *rest = rows[0]
    return UserAccess(
        found,
        role,
        ProjectRecord._make(rest[:_PROJECT]) if exists(rest[:_PROJECT]) else None,
        TokenRecord._make(rest[_PROJECT:]) if exists(rest[_PROJECT:]) else None,
    )


def by_project_token(
    db: Database,
    jti: str,
    project_id: int,
    target_id: int | None,
    now: datetime,
    large: tuple[str, ...] = (),
) -> ProjectAccess | None:
    """The rows for a project token; None where it is not valid.

    It is not where it is expired, revoked or purged, or its project or owner is deleted.
    ``large`` are keys of `targets.LARGE`: columns of the target to read as well.
    """
    caller = {"jti": jti, "project_id": project_id, "now": now}
    if target_id is None:
        rows = db.read(_BY_TOKEN, **caller)
    else:
        rows = db.read(_by_token_below(large), **caller, target_id=target_id)
    if not rows:
        return None
    token_id, access, *rest = rows[0]
    project, below = ProjectRecord._make(rest[:_PROJECT]), rest[_PROJECT:]
    if not below or not exists(below):
        return ProjectAccess(token_id, access, project)
    record = TargetRecord._make(below[:_TARGET])
    return ProjectAccess(
        token_id, access, project, record, dict(zip(large, below[_TARGET:], strict=True))
    )


@functools.cache
def _by_token_below(large: tuple[str, ...]) -> Select[Any]:
    """The statement for a path with a target."""
    if not large:
        return _BY_TOKEN_BELOW
    columns = [targets.LARGE[name] for name in large]
    return _BY_TOKEN_BELOW.add_columns(*columns).execution_options(**targets.STREAMED)


def exists(row: Sequence[Any]) -> bool:
    """Whether an outer join has found a row: its id is not NULL."""
    return row[0] is not None
