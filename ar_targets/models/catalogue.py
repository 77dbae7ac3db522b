"""The lists of the admin panel: everybody's rows, the live, the deleted, and the audit trail."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, literal_column, null

from .. import clock
from .audit import COLUMNS as AUDIT_COLUMNS
from .audit import AuditRecord, audit
from .browse import Browser, Course
from .project import project
from .target import target
from .token import token
from .user import COLUMNS as USER_COLUMNS
from .user import UserRecord, user


class ProjectRow(NamedTuple):
    """A live project with its owner."""

    id: int
    name: str
    owner_id: int
    owner: str
    created_at: str
    updated_at: str


class TokenRow(NamedTuple):
    """A token with its project, and what its JWT is made of."""

    id: int
    project_id: int
    project: str
    jti: str
    access: str
    description: str
    created_at: str
    expires_at: str
    revoked_at: str | None

    @property
    def state(self) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at > clock.rfc3339(clock.now()) else "expired"


class TargetRow(NamedTuple):
    """A live target with its project."""

    id: int
    project_id: int
    project: str
    description: str
    width: int
    height: int
    size: int
    sha256: str
    created_at: str


_LIVE_USER = user.c.deleted_at.is_(None)
_LOGIN_STARTS = user.c.login.like(bindparam("search"))
# An index serves "= 1", but not "IS true".
_ADMIN = user.c.is_admin == literal_column("1")
_USER = user.c.is_admin == literal_column("0")

USERS = Browser(
    user,
    UserRecord._make,
    USER_COLUMNS,
    {
        "id": Course("ix_user_deleted_at_id", (_LIVE_USER,)),
        "login": Course(
            "ix_user_deleted_at_login_id", (_LIVE_USER,), user.c.login, descending=False
        ),
        "search": Course(
            "ix_user_deleted_at_login_id",
            (_LIVE_USER, _LOGIN_STARTS),
            user.c.login,
            descending=False,
        ),
        "admin": Course("ix_user_is_admin_deleted_at_id", (_ADMIN, _LIVE_USER)),
        "user": Course("ix_user_is_admin_deleted_at_id", (_USER, _LIVE_USER)),
    },
    user,
    {"login": _LOGIN_STARTS, "user": _USER},
)

_LIVE_PROJECT = project.c.deleted_at.is_(None)
_OWNER = project.c.owner_id == bindparam("owner_id")
_NAME_STARTS = project.c.name.like(bindparam("search"))

PROJECTS = Browser(
    project,
    ProjectRow._make,
    [
        project.c.id,
        project.c.name,
        project.c.owner_id,
        user.c.login,
        project.c.created_at,
        project.c.updated_at,
    ],
    {
        "id": Course("ix_project_deleted_at_id", (_LIVE_PROJECT,)),
        "name": Course(
            "ix_project_deleted_at_name_id", (_LIVE_PROJECT,), project.c.name, descending=False
        ),
        "search": Course(
            "ix_project_deleted_at_name_id",
            (_LIVE_PROJECT, _NAME_STARTS),
            project.c.name,
            descending=False,
        ),
        "owner_id": Course("ix_project_owner_id_deleted_at_id", (_OWNER, _LIVE_PROJECT)),
        "owner_name": Course(
            "ix_project_owner_id_deleted_at_name_id",
            (_OWNER, _LIVE_PROJECT),
            project.c.name,
            descending=False,
        ),
        "owner_search": Course(
            "ix_project_owner_id_deleted_at_name_id",
            (_OWNER, _LIVE_PROJECT, _NAME_STARTS),
            project.c.name,
            descending=False,
        ),
    },
    project.join(user, user.c.id == project.c.owner_id),
)

_OF_PROJECT = token.c.project_id == bindparam("project_id")
_NOW: ColumnElement[Any] = bindparam("now")

TOKENS = Browser(
    token,
    TokenRow._make,
    [
        token.c.id,
        token.c.project_id,
        project.c.name,
        token.c.jti,
        token.c.access,
        token.c.description,
        token.c.created_at,
        token.c.expires_at,
        token.c.revoked_at,
    ],
    {
        "id": Course("PRIMARY", (token.c.id > literal_column("0"),)),
        "expires_at": Course(
            "ix_token_expires_at",
            (token.c.expires_at > literal_column("'1000-01-01'"),),
            token.c.expires_at,
            descending=False,
        ),
        "valid": Course(
            "ix_token_expires_at",
            (token.c.expires_at > _NOW,),
            token.c.expires_at,
            descending=False,
        ),
        "expired": Course("ix_token_expires_at", (token.c.expires_at <= _NOW,), token.c.expires_at),
        "revoked": Course(
            "ix_token_revoked_at", (token.c.revoked_at.is_not(None),), token.c.revoked_at
        ),
        "project": Course("ix_token_project_id_id", (_OF_PROJECT,)),
    },
    token.join(project, project.c.id == token.c.project_id),
    {
        "live": _LIVE_PROJECT,
        "valid": token.c.revoked_at.is_(None) & (token.c.expires_at > _NOW),
        "expired": token.c.revoked_at.is_(None) & (token.c.expires_at <= _NOW),
        "revoked": token.c.revoked_at.is_not(None),
        "read": token.c.access == literal_column("'read'"),
        "write": token.c.access == literal_column("'write'"),
        "search": token.c.description.like(bindparam("search")),
    },
)

_LIVE_TARGET = target.c.deleted_at.is_(None)

TARGETS = Browser(
    target,
    TargetRow._make,
    [
        target.c.id,
        target.c.project_id,
        project.c.name,
        target.c.description,
        target.c.width,
        target.c.height,
        target.c.size,
        target.c.sha256,
        target.c.created_at,
    ],
    {
        "id": Course("ix_target_deleted_at_id", (_LIVE_TARGET,)),
        "project": Course(
            "ix_target_project_id_deleted_at_id",
            (target.c.project_id == bindparam("project_id"), _LIVE_TARGET),
        ),
    },
    target.join(project, project.c.id == target.c.project_id),
    {"live": _LIVE_PROJECT, "search": target.c.description.like(bindparam("search"))},
)


class DeletedRow(NamedTuple):
    """A deleted user, project or target: what people know it by, and when it was deleted.

    ``parent_id`` and ``parent`` are a project's owner, a target's project.
    """

    id: int
    label: str
    parent_id: int | None
    parent: str | None
    size: int | None
    sha256: str | None
    deleted_at: str
    purged_at: str | None


def _deleted(table: Table) -> dict[str, Course]:
    """By the moment of the deletion, the latest first."""
    deleted_at = table.c.deleted_at
    index = f"ix_{table.name}_deleted_at_id"
    return {"deleted": Course(index, (deleted_at.is_not(None),), deleted_at)}


DELETED_USERS = Browser(
    user,
    DeletedRow._make,
    [user.c.id, user.c.login, *[null()] * 4, user.c.deleted_at, user.c.purged_at],
    _deleted(user),
    user,
)
DELETED_PROJECTS = Browser(
    project,
    DeletedRow._make,
    [
        project.c.id,
        project.c.name,
        user.c.id,
        user.c.login,
        null(),
        null(),
        project.c.deleted_at,
        project.c.purged_at,
    ],
    _deleted(project),
    project.join(user, user.c.id == project.c.owner_id),
)
DELETED_TARGETS = Browser(
    target,
    DeletedRow._make,
    [
        target.c.id,
        target.c.description,
        project.c.id,
        project.c.name,
        target.c.size,
        target.c.sha256,
        target.c.deleted_at,
        null(),
    ],
    _deleted(target),
    target.join(project, project.c.id == target.c.project_id),
)

AUDIT = Browser(
    audit,
    AuditRecord._make,
    AUDIT_COLUMNS,
    {
        "id": Course("PRIMARY", (audit.c.id > literal_column("0"),)),
        "row": Course(
            "ix_audit_noun_row_id_id",
            (audit.c.noun == bindparam("noun"), audit.c.row_id == bindparam("row_id")),
        ),
        "actor": Course("ix_audit_actor_id", (audit.c.actor == bindparam("actor"),)),
    },
    audit,
    {name: audit.c[name] == bindparam(name) for name in ("noun", "actor", "action", "via")},
)
