"""Sessions of the admin panel: the rows that a logout removes, so that a stolen cookie ends too."""

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import ForeignKey, Index, Table, bindparam, delete, select
from sqlalchemy.dialects.mysql import BIGINT, BINARY, INTEGER
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Database
from .meta import TABLE_OPTIONS, Base, Moment
from .sql import insertion
from .statement import Query
from .user import user

# Rows of others that a login removes along the way; sessions are few.
REMOVED_AT_ONCE = 100


class AdminSession(Base):
    """One administrator in one browser."""

    __tablename__ = "admin_session"
    __table_args__ = (
        Index("ix_admin_session_expires_at", "expires_at"),
        Index("ix_admin_session_user_id", "user_id"),
        TABLE_OPTIONS,
    )

    # The SHA-256 of the secret in the cookie: a copy of the database opens nothing.
    id: Mapped[bytes] = mapped_column(BINARY(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("user.id", ondelete="CASCADE"))
    password_version: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    expires_at: Mapped[Moment]


class Administrator(NamedTuple):
    """Who is logged in."""

    id: int
    login: str


admin_session = cast("Table", AdminSession.__table__)

_FIND = Query(
    Administrator._make,
    select(user.c.id, user.c.login)
    .select_from(admin_session)
    .join(user, user.c.id == admin_session.c.user_id)
    .where(
        admin_session.c.id == bindparam("id"),
        admin_session.c.expires_at > bindparam("now"),
        admin_session.c.password_version == user.c.password_version,
        user.c.is_admin.is_(True),
        user.c.deleted_at.is_(None),
    ),
)
_INSERT = insertion(admin_session, "id", "user_id", "password_version", "expires_at")


def key(secret: str) -> bytes:
    """The primary key of a cookie's secret."""
    return hashlib.sha256(secret.encode()).digest()


def find(db: Database, secret: str, now: datetime) -> Administrator | None:
    """None after a logout or a new password, and for who is no administrator any more."""
    return _FIND.one(db, id=key(secret), now=now)


def create(
    db: Database, user_id: int, password_version: int, now: datetime, expires_at: datetime
) -> str:
    """A new session; its secret. Some of those that have expired are removed."""
    row = admin_session
    expired = select(row.c.id).where(row.c.expires_at <= now).limit(REMOVED_AT_ONCE)
    if ids := db.execute(expired).scalars().all():
        db.execute(delete(row).where(row.c.id.in_(ids)))
    secret = secrets.token_urlsafe(32)
    values = {"user_id": user_id, "password_version": password_version, "expires_at": expires_at}
    db.run(_INSERT, {"id": key(secret), **values})
    return secret


def remove(db: Database, secret: str) -> None:
    """Log out."""
    db.execute(delete(admin_session).where(admin_session.c.id == key(secret)))
