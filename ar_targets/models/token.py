"""Project tokens, with which an app reads or writes a project's image targets.

A row holds no JWT: the string is made from the row and the key (`ar_targets.auth.jwt_codec`), so
that a copy of the database gives no access. Expiry and access are columns of the row, not claims
of the JWT.
"""

import functools
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    bindparam,
    select,
)
from sqlalchemy.dialects.mysql import BIGINT, CHAR, VARCHAR
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from .. import clock
from ..db.base import TABLE_OPTIONS, Base
from ..db.session import Database
from .change import change, change_record, create_below
from .member import Member, roles_allowing
from .noun import Audited, Expiring, RevokedWithCreator
from .project import Project
from .user import User

DESCRIPTION_MAX = 255
ACCESS = ("read", "write")


class Token(Audited, RevokedWithCreator, Expiring, Base):
    """One token of one project.

    ``created_by`` is the member who made it, and NULL for one of the owner's. While it is not
    revoked, that user is live and a member, with a role that allows its access.
    """

    __tablename__ = "token"
    plural = "tokens"
    label = "description"
    expired = "expired tokens"
    audited = ("project_id", "description", "access", "ttl")
    parent_key = "project_id"
    creator: ClassVar[str] = User.__tablename__
    __table_args__ = (
        CheckConstraint("access IN ('read', 'write')", name="access"),
        Index("uq_token_jti", "jti", unique=True),
        Index("ix_token_project_id_id", "project_id", "id"),
        # For the purge.
        Index("ix_token_expires_at", "expires_at"),
        Index("ix_token_revoked_at", "revoked_at"),
        # For the admin panel.
        Index("ix_token_access_expires_at", "access", "expires_at"),
        # For a member's own tokens, and to revoke them.
        Index("ix_token_created_by_project_id_id", "created_by", "project_id", "id"),
        TABLE_OPTIONS,
    )

    project_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("project.id"))
    # The JWT's id (jti): random, so that a row id which the database assigns a second time (a
    # restored backup) never makes an old token valid again.
    jti: Mapped[str] = mapped_column(CHAR(32, charset="ascii", collation="ascii_bin"))
    access: Mapped[str] = mapped_column(VARCHAR(5, charset="ascii", collation="ascii_bin"))
    description: Mapped[str] = mapped_column(VARCHAR(DESCRIPTION_MAX))
    ttl: Mapped[int] = mapped_column(BIGINT)
    project: Mapped[Project] = relationship(viewonly=True, lazy="raise")
    made_by: Mapped[User | None] = relationship(
        primaryjoin=lambda: foreign(Token.created_by) == User.id, viewonly=True, lazy="raise"
    )

    @property
    def state(self) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at > clock.now() else "expired"


class TokenRecord(NamedTuple):
    """A token as read from the database, which may be expired or revoked."""

    id: int
    project_id: int
    jti: str
    access: str
    description: str
    ttl: int
    revision: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    created_by: int | None = None

    @property
    def valid(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > clock.now()

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes; ``valid`` changes without a write."""
        return f"{self.id}-{self.revision}-{'valid' if self.valid else 'dead'}"


COLUMNS = [getattr(Token, name) for name in TokenRecord._fields]

_FIND = select(*COLUMNS).where(
    Token.id == bindparam("token_id"), Token.project_id == bindparam("project_id")
)
_PAGE = (
    select(*COLUMNS)
    .with_hint(Token, "FORCE INDEX (ix_token_project_id_id)")
    .where(Token.project_id == bindparam("project_id"), Token.id > bindparam("after"))
    .order_by(Token.id)
    .limit(bindparam("count"))
)
_PAGE_OF_MEMBER = (
    select(*COLUMNS)
    .with_hint(Token, "FORCE INDEX (ix_token_created_by_project_id_id)")
    .where(
        Token.created_by == bindparam("created_by"),
        Token.project_id == bindparam("project_id"),
        Token.id > bindparam("after"),
    )
    .order_by(Token.id)
    .limit(bindparam("count"))
)


def find(db: Database, project_id: int, token_id: int) -> TokenRecord | None:
    """The token of that id, if it is the project's."""
    rows = db.read(_FIND, token_id=token_id, project_id=project_id)
    return TokenRecord._make(rows[0]) if rows else None


def page(
    db: Database, project_id: int, after: int, count: int, *, created_by: int | None = None
) -> list[TokenRecord]:
    """Up to ``count`` tokens of a project past the id ``after``, expired and revoked included.

    All of them, or those of the member ``created_by``.
    """
    values = {"project_id": project_id, "after": after, "count": count}
    if created_by is None:
        rows = db.read(_PAGE, **values)
    else:
        rows = db.read(_PAGE_OF_MEMBER, **values, created_by=created_by)
    return [TokenRecord._make(row) for row in rows]


def create(
    db: Database,
    project_id: int,
    ttl: int,
    access: str,
    description: str,
    *,
    created_by: int | None = None,
) -> TokenRecord | None:
    """A new token, valid for ``ttl`` seconds from now; None where the project is deleted.

    ``created_by`` is the member who makes it: None, too, where that user is deleted, no longer a
    member, or has a role that does not allow the access. Their rows are locked, so that a change
    of these either revokes the token or comes first.
    """
    now = clock.now()
    values: dict[str, Any] = {
        "project_id": project_id,
        "jti": secrets.token_hex(16),
        "access": access,
        "description": description,
        "ttl": ttl,
        "expires_at": now + timedelta(seconds=ttl),
        "created_by": created_by,
    }
    only = () if created_by is None else _by_member(access)
    token_id = create_below(db, Project, project_id, Token, now, values, only=only)
    if token_id is None:
        return None
    return TokenRecord(
        id=token_id, revision=1, created_at=now, updated_at=now, revoked_at=None, **values
    )


@functools.cache
def _by_member(access: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions that the maker of a token is a live member who may have that access.

    In the order in which the deletion of a user and the handing over of a project lock rows:
    user, project, member.
    """
    return (
        User.id == bindparam("created_by", type_=BIGINT),
        User.alive(),
        Project.id == Member.project_id,
        Member.user_id == User.id,
        Member.role.in_(roles_allowing(access)),
    )


def extend(
    db: Database, record: TokenRecord, ttl: int, revision: int | None = None
) -> TokenRecord | None:
    """The token, which now expires ``ttl`` seconds from now, even if it had expired already.

    None where it is purged or revoked, or its revision is not the given one.
    """
    now = clock.now()
    return change_record(
        db,
        Token,
        record,
        now,
        {"ttl": ttl, "expires_at": now + timedelta(seconds=ttl)},
        read_again=lambda: find(db, record.project_id, record.id),
        revision=revision,
        rest=(),
    )


def revoke(db: Database, token_id: int, revision: int | None = None) -> bool:
    """Revoke the token; False where `extend` returns None."""
    now = clock.now()
    values = {"revoked_at": now}
    return change(db, Token, token_id, now, values, revision=revision) is not None
