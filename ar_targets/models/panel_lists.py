"""The lists of the admin panel: live rows of all users, deleted rows, and the audit trail."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, literal_column, null, or_
from sqlalchemy.orm import join

from .. import clock
from .audit import COLUMNS as AUDIT_COLUMNS
from .audit import Audit, AuditRecord
from .keyset import Browser, Course
from .noun import Owned, Purgeable, SoftDeletable, nouns, parent
from .project import Project
from .target import Target
from .token import Token
from .user import COLUMNS as USER_COLUMNS
from .user import User, UserRecord


class ProjectRow(NamedTuple):
    """A live project with its owner."""

    id: int
    name: str
    owner_id: int
    owner: str
    created_at: datetime
    updated_at: datetime


class TokenRow(NamedTuple):
    """A token with its project, and the columns from which its JWT is made."""

    id: int
    project_id: int
    project: str
    jti: str
    access: str
    description: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at > clock.now() else "expired"


class TargetRow(NamedTuple):
    """A live target with its project."""

    id: int
    project_id: int
    project: str
    name: str | None
    description: str
    width: int
    height: int
    size: int
    sha256: str
    created_at: datetime


_LIVE_USER = User.alive()
_LOGIN_STARTS = User.login.like(bindparam("search"))
# MySQL uses an index for "= 1", but not for "IS true".
_ADMIN = User.is_admin == literal_column("1")
_USER = User.is_admin == literal_column("0")

USERS = Browser(
    User,
    UserRecord._make,
    USER_COLUMNS,
    {
        "id": Course("ix_user_deleted_at_id", (_LIVE_USER,)),
        "login": Course("ix_user_deleted_at_login_id", (_LIVE_USER,), User.login, descending=False),
        "search": Course(
            "ix_user_deleted_at_login_id",
            (_LIVE_USER, _LOGIN_STARTS),
            User.login,
            descending=False,
        ),
        "admin": Course("ix_user_is_admin_deleted_at_id", (_ADMIN, _LIVE_USER)),
        "user": Course("ix_user_is_admin_deleted_at_id", (_USER, _LIVE_USER)),
    },
    User,
    {"login": _LOGIN_STARTS, "user": _USER},
)

_LIVE_PROJECT = Project.alive()
_OWNER = Project.owner_id == bindparam("owner_id")
_NAME_STARTS = Project.name.like(bindparam("search"))

PROJECTS = Browser(
    Project,
    ProjectRow._make,
    [
        Project.id,
        Project.name,
        Project.owner_id,
        User.login,
        Project.created_at,
        Project.updated_at,
    ],
    {
        "id": Course("ix_project_deleted_at_id", (_LIVE_PROJECT,)),
        "name": Course(
            "ix_project_deleted_at_name_id", (_LIVE_PROJECT,), Project.name, descending=False
        ),
        "search": Course(
            "ix_project_deleted_at_name_id",
            (_LIVE_PROJECT, _NAME_STARTS),
            Project.name,
            descending=False,
        ),
        "owner_id": Course("ix_project_owner_id_deleted_at_id", (_OWNER, _LIVE_PROJECT)),
        "owner_name": Course(
            "ix_project_owner_id_deleted_at_name_id",
            (_OWNER, _LIVE_PROJECT),
            Project.name,
            descending=False,
        ),
        "owner_search": Course(
            "ix_project_owner_id_deleted_at_name_id",
            (_OWNER, _LIVE_PROJECT, _NAME_STARTS),
            Project.name,
            descending=False,
        ),
    },
    join(Project, User, User.id == Project.owner_id),
)

_OF_PROJECT = Token.project_id == bindparam("project_id")
_NOW: ColumnElement[Any] = bindparam("now")

TOKENS = Browser(
    Token,
    TokenRow._make,
    [
        Token.id,
        Token.project_id,
        Project.name,
        Token.jti,
        Token.access,
        Token.description,
        Token.created_at,
        Token.expires_at,
        Token.revoked_at,
    ],
    {
        "id": Course("PRIMARY", (Token.id > literal_column("0"),)),
        "expires_at": Course(
            "ix_token_expires_at",
            (Token.expires_at > literal_column("'1000-01-01'"),),
            Token.expires_at,
            descending=False,
        ),
        "valid": Course(
            "ix_token_expires_at",
            (Token.expires_at > _NOW,),
            Token.expires_at,
            descending=False,
        ),
        "expired": Course("ix_token_expires_at", (Token.expires_at <= _NOW,), Token.expires_at),
        "revoked": Course(
            "ix_token_revoked_at", (Token.revoked_at.is_not(None),), Token.revoked_at
        ),
        "project": Course("ix_token_project_id_id", (_OF_PROJECT,)),
    },
    join(Token, Project, Project.id == Token.project_id),
    {
        "live": _LIVE_PROJECT,
        "valid": Token.revoked_at.is_(None) & (Token.expires_at > _NOW),
        "expired": Token.revoked_at.is_(None) & (Token.expires_at <= _NOW),
        "revoked": Token.revoked_at.is_not(None),
        "read": Token.access == literal_column("'read'"),
        "write": Token.access == literal_column("'write'"),
        "search": Token.description.like(bindparam("search")),
    },
)

_LIVE_TARGET = Target.alive()

TARGETS = Browser(
    Target,
    TargetRow._make,
    [
        Target.id,
        Target.project_id,
        Project.name,
        Target.name,
        Target.description,
        Target.width,
        Target.height,
        Target.size,
        Target.sha256,
        Target.created_at,
    ],
    {
        "id": Course("ix_target_deleted_at_id", (_LIVE_TARGET,)),
        "project": Course(
            "ix_target_project_id_deleted_at_id",
            (Target.project_id == bindparam("project_id"), _LIVE_TARGET),
        ),
    },
    join(Target, Project, Project.id == Target.project_id),
    {
        "live": _LIVE_PROJECT,
        "search": or_(
            Target.description.like(bindparam("search")), Target.name.like(bindparam("search"))
        ),
    },
)


class DeletedRow(NamedTuple):
    """A deleted row of any noun: its label and title, its parent, and when it was deleted.

    ``size`` and ``sha256`` are those of an image, where the noun has one.
    """

    id: int
    label: str | None
    title: str
    parent_id: int | None
    parent: str | None
    size: int | None
    sha256: str | None
    deleted_at: datetime
    purged_at: datetime | None


def _deleted(noun: type[SoftDeletable]) -> Browser[DeletedRow]:
    """The list of a noun's deleted rows, ordered by the time of deletion, the latest first."""
    source: Any = noun
    above: list[Any] = [null(), null()]
    if issubclass(noun, Owned):
        owner = parent(noun)
        source = join(noun, owner, owner.id == noun.parent_id())
        above = [owner.id, owner.title()]
    image = [getattr(noun, name, null()) for name in ("size", "sha256")]
    purged_at = noun.purged_at if issubclass(noun, Purgeable) else null()
    index, deleted_at = f"ix_{noun.__tablename__}_deleted_at_id", noun.deleted_at
    return Browser(
        noun,
        DeletedRow._make,
        [noun.id, getattr(noun, noun.label), noun.title(), *above, *image, deleted_at, purged_at],
        {"deleted": Course(index, (deleted_at.is_not(None),), deleted_at)},
        source,
    )


# By table name.
DELETED = {noun.__tablename__: _deleted(noun) for noun in nouns(SoftDeletable)}

AUDIT = Browser(
    Audit,
    AuditRecord._make,
    AUDIT_COLUMNS,
    {
        "id": Course("PRIMARY", (Audit.id > literal_column("0"),)),
        "row": Course(
            "ix_audit_noun_row_id_id",
            (Audit.noun == bindparam("noun"), Audit.row_id == bindparam("row_id")),
        ),
        "actor": Course("ix_audit_actor_id", (Audit.actor == bindparam("actor"),)),
    },
    Audit,
    {name: getattr(Audit, name) == bindparam(name) for name in ("noun", "actor", "action", "via")},
)
