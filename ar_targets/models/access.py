"""Who holds a token, and what the path names: one statement for each kind of token.

Joining the rows that a path names to the row that proves the caller answers
most requests in one round trip, and leaves one for the work in the others. Where
it names none below the caller's own, a shorter statement does. What an app most
likely goes on to read, an image or a page of targets, comes along, too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, select

from ..database import Database
from . import project as projects
from . import target as targets
from . import token as tokens
from .project import ProjectRecord, project
from .statement import Both, Query
from .target import TargetRecord, target
from .token import TokenRecord, token
from .user import user


class UserAccess(NamedTuple):
    """The live user of a login token; and of the path the live project, and its token."""

    user_id: int
    project: ProjectRecord | None
    token: TokenRecord | None


class ProjectAccess(NamedTuple):
    """The live project of a project token; and of the path the project's live target."""

    token_id: int
    access: str
    project: ProjectRecord
    target: TargetRecord | None
    # What was read ahead: the target's image, and a page of the project's targets.
    image: bytes | None = None
    page: list[TargetRecord] | None = None


class Page(NamedTuple):
    """Up to ``rows`` of them past the id ``after``."""

    after: int
    rows: int


class Ahead(NamedTuple):
    """What a request is going to read, so that it may come along with its caller."""

    image: bool = False
    page: Page | None = None


NOTHING = Ahead()


_PROJECT = slice(len(projects.COLUMNS))
_BELOW = slice(len(projects.COLUMNS), None)
# What the path does not name has no columns in a row; what it names in vain, NULLs.


def _user_access(row: Sequence[Any]) -> UserAccess:
    user_id, *rest = row
    project_row, token_row = rest[_PROJECT], rest[_BELOW]
    return UserAccess(
        user_id,
        ProjectRecord._make(project_row) if any(project_row) else None,
        TokenRecord._make(token_row) if any(token_row) else None,
    )


def _project_access(row: Sequence[Any]) -> ProjectAccess:
    token_id, access, *rest = row
    project_row, target_row = rest[_PROJECT], rest[_BELOW]
    return ProjectAccess(
        token_id,
        access,
        ProjectRecord._make(project_row),
        TargetRecord._make(target_row) if any(target_row) else None,
    )


_LOGIN = (
    select(user.c.id)
    .select_from(user)
    .where(
        user.c.id == bindparam("user_id"),
        user.c.password_version == bindparam("password_version"),
        user.c.deleted_at.is_(None),
    )
)
_BY_LOGIN = Query(_user_access, _LOGIN)
_BY_LOGIN_BELOW = Query(
    _user_access,
    _LOGIN.add_columns(*projects.COLUMNS, *tokens.COLUMNS)
    .outerjoin(
        project, and_(project.c.id == bindparam("project_id"), project.c.deleted_at.is_(None))
    )
    .outerjoin(
        token, and_(token.c.id == bindparam("token_id"), token.c.project_id == project.c.id)
    ),
)

_TOKEN = (
    select(token.c.id, token.c.access, *projects.COLUMNS)
    .select_from(token)
    .join(project, project.c.id == token.c.project_id)
    .join(user, user.c.id == project.c.owner_id)
    .where(
        token.c.jti == bindparam("jti"),
        token.c.project_id == bindparam("project_id"),
        token.c.revoked_at.is_(None),
        token.c.expires_at > bindparam("now"),
        project.c.deleted_at.is_(None),
        user.c.deleted_at.is_(None),
    )
)
_BY_TOKEN = Query(_project_access, _TOKEN)
_TOKEN_BELOW = _TOKEN.add_columns(*targets.COLUMNS).outerjoin(
    target,
    and_(
        target.c.id == bindparam("target_id"),
        target.c.project_id == project.c.id,
        target.c.deleted_at.is_(None),
    ),
)
_BY_TOKEN_BELOW = Query(_project_access, _TOKEN_BELOW)
_BY_TOKEN_IMAGE = Query(_project_access, _TOKEN_BELOW, beside=target.c.image)
_BY_TOKEN_PAGE = Both(_BY_TOKEN, targets.PAGE)


def by_login(
    db: Database,
    user_id: int,
    password_version: int,
    project_id: int | None,
    token_id: int | None,
) -> UserAccess | None:
    """None where the user is deleted, or the password was set since."""
    caller = {"user_id": user_id, "password_version": password_version}
    if project_id is None:
        return _BY_LOGIN.one(db, **caller)
    return _BY_LOGIN_BELOW.one(db, **caller, project_id=project_id, token_id=token_id)


def by_project_token(
    db: Database,
    jti: str,
    project_id: int,
    target_id: int | None,
    now: datetime,
    ahead: Ahead = NOTHING,
) -> ProjectAccess | None:
    """None where the token is expired, revoked or purged, or its project or owner deleted."""
    caller = {"jti": jti, "project_id": project_id, "now": now}
    if ahead.page is not None:
        after, rows = ahead.page
        found, page = _BY_TOKEN_PAGE.read(db, **caller, after=after, count=rows)
        return found and found._replace(page=page)
    if target_id is None:
        return _BY_TOKEN.one(db, **caller)
    if ahead.image:
        both = _BY_TOKEN_IMAGE.one_beside(db, **caller, target_id=target_id)
        return both and both[0]._replace(image=both[1])
    return _BY_TOKEN_BELOW.one(db, **caller, target_id=target_id)
