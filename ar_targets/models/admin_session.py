"""Sessions of the admin panel, as rows: a logout deletes one, so that a stolen cookie ends too."""

import secrets
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, bindparam, delete, insert, select
from sqlalchemy.dialects.mysql import BIGINT, BINARY, INTEGER
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base, digest
from ..db.session import Database
from .noun import Expiring
from .user import User


class AdminSession(Expiring, Base):
    """A session of one user in one browser."""

    __tablename__ = "admin_session"
    expired = "expired admin sessions"
    __table_args__ = (
        Index("ix_admin_session_expires_at", "expires_at"),
        Index("ix_admin_session_user_id", "user_id"),
        TABLE_OPTIONS,
    )

    # The SHA-256 of the secret in the cookie: a copy of the database gives no access.
    id: Mapped[bytes] = mapped_column(BINARY(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("user.id", ondelete="CASCADE"))
    password_version: Mapped[int] = mapped_column(INTEGER(unsigned=True))


class SessionUser(NamedTuple):
    """The user of a session."""

    id: int
    login: str
    is_admin: bool


_FIND = (
    select(User.id, User.login, User.is_admin)
    .select_from(AdminSession)
    .join(User, User.id == AdminSession.user_id)
    .where(
        AdminSession.id == bindparam("session_id"),
        AdminSession.expires_at > bindparam("now"),
        AdminSession.password_version == User.password_version,
        User.alive(),
    )
)


def find(db: Database, secret: str, now: datetime) -> SessionUser | None:
    """The session's user; None once it has ended.

    It ends by expiry, by logout, with a new password, and when the user is deleted.
    """
    rows = db.read(_FIND, session_id=digest(secret), now=now)
    return SessionUser._make(rows[0]) if rows else None


def create(db: Database, user_id: int, password_version: int, expires_at: datetime) -> str:
    """Create a session; returns the secret for its cookie."""
    secret = secrets.token_urlsafe(32)
    db.write(
        insert(AdminSession),
        id=digest(secret),
        user_id=user_id,
        password_version=password_version,
        expires_at=expires_at,
    )
    return secret


def remove(db: Database, secret: str) -> None:
    """Delete the session, on logout."""
    db.write(delete(AdminSession).where(AdminSession.id == digest(secret)))
