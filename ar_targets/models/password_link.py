"""One-time links with which users who forgot their password choose a new one.

An administrator makes a link in the panel and hands it over. It ends when it is used or expires,
with any other change of the password, and with a newer link for the same user.
"""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, bindparam, delete, insert, select
from sqlalchemy.dialects.mysql import BIGINT, BINARY, INTEGER
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base, Moment, digest
from ..db.session import Database
from . import audit
from . import user as users
from .noun import Expiring
from .user import User

# Long enough to reach somebody who reads it tomorrow; whoever has the link has the account.
TTL = timedelta(hours=24)
# The audit entry of its making, about the user.
ACTION = "password link"


class PasswordLink(Expiring, Base):
    """A link with which one user can set the password once."""

    __tablename__ = "password_link"
    expired = "expired password links"
    __table_args__ = (
        Index("ix_password_link_expires_at", "expires_at"),
        # One link for a user.
        Index("uq_password_link_user_id", "user_id", unique=True),
        TABLE_OPTIONS,
    )

    # The SHA-256 of the secret in the link: a copy of the database gives no access.
    id: Mapped[bytes] = mapped_column(BINARY(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("user.id", ondelete="CASCADE"))
    # Of the password that the link replaces.
    password_version: Mapped[int] = mapped_column(INTEGER(unsigned=True))
    created_at: Mapped[Moment]


class LinkRecord(NamedTuple):
    """A link that can be used, with its user's login."""

    user_id: int
    login: str
    password_version: int
    expires_at: datetime


class NewLink(NamedTuple):
    """A new link. The secret is in no table: it cannot be shown again."""

    secret: str
    login: str
    expires_at: datetime


_FIND = (
    select(PasswordLink.user_id, User.login, PasswordLink.password_version, PasswordLink.expires_at)
    .join(User, User.id == PasswordLink.user_id)
    .where(
        PasswordLink.id == bindparam("link_id"),
        PasswordLink.expires_at > bindparam("now"),
        PasswordLink.password_version == User.password_version,
        User.alive(),
    )
)
# Makes everything about a user's links and password happen one after the other, in each the lock
# on the user first: no deadlocks.
_LOCK_USER = (
    select(User.login, User.password_version)
    .where(User.id == bindparam("user_id"), User.alive())
    .with_for_update()
)
_END = delete(PasswordLink).where(PasswordLink.user_id == bindparam("user_id"))
_USE = delete(PasswordLink).where(
    PasswordLink.id == bindparam("link_id"), PasswordLink.expires_at > bindparam("now")
)


def create(db: Database, user_id: int, now: datetime) -> NewLink | None:
    """A new link, which ends the user's older one; None where the live user is gone."""
    user = db.write(_LOCK_USER, user_id=user_id).first()
    if user is None:
        return None
    link = NewLink(secrets.token_urlsafe(32), user.login, now + TTL)
    db.write(_END, user_id=user_id)
    db.write(
        insert(PasswordLink),
        id=digest(link.secret),
        user_id=user_id,
        password_version=user.password_version,
        created_at=now,
        expires_at=link.expires_at,
    )
    audit.record(db, now, ACTION, User, user_id, {})
    return link


def find(db: Database, secret: str, now: datetime) -> LinkRecord | None:
    """The link of that secret, if it can still be used."""
    rows = db.read(_FIND, link_id=digest(secret), now=now)
    return LinkRecord._make(rows[0]) if rows else None


def use(db: Database, secret: str, link: LinkRecord, password_hash: str, now: datetime) -> bool:
    """Set the password of the link's user, and end the link.

    False where it has ended since it was found. Of two concurrent uses, one deletes the row.
    """
    user = db.write(_LOCK_USER, user_id=link.user_id).first()
    if user is None or user.password_version != link.password_version:
        return False
    if not db.write(_USE, link_id=digest(secret), now=now).rowcount:
        return False
    return users.change(db, link.user_id, password_hash=password_hash)
