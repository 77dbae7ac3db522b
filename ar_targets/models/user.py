"""Users, who can log in: the mapped class, its record and its queries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Computed,
    Index,
    bindparam,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.mysql import BINARY, INTEGER, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..db.base import TABLE_OPTIONS, Base, fold
from ..db.session import Database
from .change import change as change_row
from .change import create as create_row
from .noun import Audited, Purgeable

LOGIN_MAX = 64
PASSWORD_MIN = 8
PASSWORD_MAX = 128
# The key of no login: no known text has this SHA-256.
_NOBODYS_KEY = bytes(32)


class User(Audited, Purgeable, Base):
    """One person or script that logs in."""

    __tablename__ = "user"
    plural = "users"
    label = "login"
    audited = ("login", "is_admin")
    audited_as_set: ClassVar[Mapping[str, str]] = {"password_hash": "password"}
    __table_args__ = (
        Index("uq_user_live_login_key", "live_login_key", unique=True),
        Index("ix_user_deleted_at_id", "deleted_at", "id"),
        # For the admin panel: by name, and only administrators.
        Index("ix_user_deleted_at_login_id", "deleted_at", "login", "id"),
        Index("ix_user_is_admin_deleted_at_id", "is_admin", "deleted_at", "id"),
        TABLE_OPTIONS,
    )

    login: Mapped[str] = mapped_column(VARCHAR(LOGIN_MAX))
    login_key: Mapped[bytes] = mapped_column(BINARY(32))
    # NULL once deleted; a unique index allows many NULLs, so the login is free again.
    live_login_key: Mapped[bytes | None] = mapped_column(
        BINARY(32), Computed("CASE WHEN deleted_at IS NULL THEN login_key END", persisted=False)
    )
    # Read only where it is selected.
    password_hash: Mapped[str] = mapped_column(
        VARCHAR(255, charset="ascii", collation="ascii_bin"), deferred=True
    )
    # Part of every user token: incrementing it invalidates them all.
    password_version: Mapped[int] = mapped_column(INTEGER(unsigned=True), server_default="1")
    is_admin: Mapped[bool] = mapped_column(server_default="0")


class UserRecord(NamedTuple):
    """A live user as read from the database, without the password's hash."""

    id: int
    login: str
    is_admin: bool
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes."""
        return f"{self.id}-{self.revision}"


class LastAdministratorError(Exception):
    """At least one administrator must remain; the message is for users."""


class Credentials(NamedTuple):
    """The columns against which a login is checked."""

    id: int
    password_hash: str
    password_version: int


NO_ADMIN = User.is_admin.is_(False)
COLUMNS = [getattr(User, name) for name in UserRecord._fields]

_FIND = select(*COLUMNS).where(User.id == bindparam("user_id"), User.alive())
_BY_LOGIN = select(*COLUMNS).where(User.live_login_key == bindparam("key"))
_CREDENTIALS = select(*[getattr(User, name) for name in Credentials._fields]).where(
    User.live_login_key == bindparam("key")
)
_PAGE = (
    select(*COLUMNS)
    .with_hint(User, "FORCE INDEX (ix_user_deleted_at_id)")
    .where(
        User.alive(),
        or_(NO_ADMIN, User.id == bindparam("viewer")),
        User.id > bindparam("after"),
    )
    .order_by(User.id)
    .limit(bindparam("count"))
)
# MySQL uses an index for "= 1", but not for "IS true". The forced index also limits the locks of
# FOR UPDATE to the rows that are found.
_ADMINISTRATORS = (
    select(User.id)
    .with_hint(User, "FORCE INDEX (ix_user_is_admin_deleted_at_id)")
    .where(User.is_admin == literal_column("1"), User.alive())
    .order_by(User.id)
)


def login_key(login: str) -> bytes:
    """The folded key of a login name; one constant for all texts longer than `LOGIN_MAX`.

    Folding a malicious text takes quadratic time: half a second for 50 KB, minutes for a
    megabyte.
    """
    return fold(login) if len(login) <= LOGIN_MAX else _NOBODYS_KEY


def find(db: Database, user_id: int) -> UserRecord | None:
    """The live user of that id."""
    rows = db.read(_FIND, user_id=user_id)
    return UserRecord._make(rows[0]) if rows else None


def find_by_login(db: Database, login: str) -> UserRecord | None:
    """The live user with that login, in capital or small letters."""
    rows = db.read(_BY_LOGIN, key=login_key(login))
    return UserRecord._make(rows[0]) if rows else None


def credentials(db: Database, login: str) -> Credentials | None:
    """What to check a password against; None where no live user has that login."""
    rows = db.read(_CREDENTIALS, key=login_key(login))
    return Credentials._make(rows[0]) if rows else None


def page(db: Database, viewer: int | None, after: int, count: int) -> list[UserRecord]:
    """Up to ``count`` live users past the id ``after``; no administrators but the viewer."""
    rows = db.read(_PAGE, viewer=viewer, after=after, count=count)
    return [UserRecord._make(row) for row in rows]


def has_administrator(db: Database) -> bool:
    """Whether there is a live administrator."""
    return bool(db.read(_ADMINISTRATORS.limit(1)))


def create(db: Database, login: str, password_hash: str, *, is_admin: bool = False) -> UserRecord:
    """A new user. Raises IntegrityError where the login is taken."""
    now = clock.now()
    values = {
        "login": login,
        "login_key": fold(login),
        "password_hash": password_hash,
        "is_admin": is_admin,
    }
    user_id = create_row(db, User, now, values)
    return UserRecord(user_id, login, is_admin, 1, now, now)


def change(
    db: Database,
    user_id: int,
    *,
    login: str | None = None,
    password_hash: str | None = None,
    revision: int | None = None,
    spare_admins: bool = False,
) -> bool:
    """Set what is given; a new password invalidates the user's tokens.

    False where the live user is gone, where ``spare_admins`` and it is an administrator (the
    UPDATE itself checks that), or where ``revision`` is given and is no longer the row's. Raises
    IntegrityError where the login is taken.
    """
    values: dict[str, object] = {}
    computed: dict[str, ColumnElement[Any]] = {}
    if login is not None:
        values |= {"login": login, "login_key": fold(login)}
    if password_hash is not None:
        values["password_hash"] = password_hash
        computed["password_version"] = User.password_version + 1
    only = NO_ADMIN if spare_admins else None
    now = clock.now()
    changed = change_row(
        db, User, user_id, now, values, revision=revision, computed=computed, only=only
    )
    return changed is not None


def set_admin(db: Database, user_id: int, *, is_admin: bool, revision: int | None = None) -> bool:
    """Make a user an administrator, or no longer one; False as for `change`.

    Raises LastAdministratorError.
    """
    if not is_admin:
        keep_an_administrator(db, user_id)
    values = {"is_admin": is_admin}
    return change_row(db, User, user_id, clock.now(), values, revision=revision) is not None


def keep_an_administrator(db: Database, user_id: int) -> None:
    """Lock all administrators; raises LastAdministratorError where that user is the only one.

    The locks make concurrent removals of administrators wait for each other.
    """
    ids = db.write(_ADMINISTRATORS.with_for_update()).scalars().all()
    if list(ids) == [user_id]:
        raise LastAdministratorError("this is the last administrator; make another user one first")


def rehash(db: Database, user_id: int, old_hash: str, new_hash: str) -> None:
    """Store a hash of the same password with newer parameters; the user's tokens stay valid."""
    db.write(
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash)
    )
