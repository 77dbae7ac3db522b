"""Project tokens: what an app shows to read or write a project's image targets.

A row holds no JWT: the string is made again from the row and the key
(`ar_targets.codec`), so that a copy of the database opens nothing. The row,
not the string, decides until when and for what the token is good.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple, cast

from sqlalchemy import CheckConstraint, ForeignKey, Index, Table, bindparam, select
from sqlalchemy.dialects.mysql import BIGINT, CHAR, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..database import Database
from .meta import TABLE_OPTIONS, Base, Moment, Stamped
from .project import project
from .sql import insertion_below
from .statement import Query, change, change_record, insert_below

DESCRIPTION_MAX = 255
ACCESS = ("read", "write")


class Token(Stamped, Base):
    """One token of one project."""

    __tablename__ = "token"
    __table_args__ = (
        CheckConstraint("access IN ('read', 'write')", name="access"),
        Index("uq_token_jti", "jti", unique=True),
        Index("ix_token_project_id_id", "project_id", "id"),
        # For the purge.
        Index("ix_token_expires_at", "expires_at"),
        Index("ix_token_revoked_at", "revoked_at"),
        TABLE_OPTIONS,
    )

    project_id: Mapped[int] = mapped_column(BIGINT, ForeignKey("project.id"))
    # The JWT's own id: random, so that an id which the database gives out a
    # second time (a restored backup) never revives an old token.
    jti: Mapped[str] = mapped_column(CHAR(32, charset="ascii", collation="ascii_bin"))
    access: Mapped[str] = mapped_column(VARCHAR(5, charset="ascii", collation="ascii_bin"))
    description: Mapped[str] = mapped_column(VARCHAR(DESCRIPTION_MAX))
    ttl: Mapped[int] = mapped_column(BIGINT)
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]


class TokenRecord(NamedTuple):
    """A token as read from the database, dead ones included."""

    id: int
    project_id: int
    jti: str
    access: str
    description: str
    ttl: int
    revision: int
    created_at: str
    updated_at: str
    expires_at: str
    revoked_at: str | None

    @property
    def valid(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > clock.rfc3339(clock.now())

    @property
    def etag(self) -> str:
        """The strong entity tag, without its quotes: ``valid`` changes without a write."""
        return f"{self.id}-{self.revision}-{'valid' if self.valid else 'dead'}"


token = cast("Table", Token.__table__)
COLUMNS = [token.c[name] for name in TokenRecord._fields]

_FIND = Query(
    TokenRecord._make,
    select(*COLUMNS).where(
        token.c.id == bindparam("id"), token.c.project_id == bindparam("project_id")
    ),
)
_PAGE = Query(
    TokenRecord._make,
    select(*COLUMNS)
    .with_hint(token, "FORCE INDEX (ix_token_project_id_id)")
    .where(token.c.project_id == bindparam("project_id"), token.c.id > bindparam("after"))
    .order_by(token.c.id)
    .limit(bindparam("count")),
)
_INSERT = insertion_below(
    project,
    token,
    "project_id",
    "jti",
    "access",
    "description",
    "ttl",
    "created_at",
    "updated_at",
    "expires_at",
)


def find(db: Database, project_id: int, token_id: int) -> TokenRecord | None:
    """The token of that id, if it is the project's."""
    return _FIND.one(db, id=token_id, project_id=project_id)


def page(db: Database, project_id: int, after: int, count: int) -> list[TokenRecord]:
    """Up to ``count`` tokens of a project past the id ``after``, dead ones included."""
    return _PAGE.all(db, project_id=project_id, after=after, count=count)


def create(
    db: Database, project_id: int, ttl: int, access: str, description: str
) -> TokenRecord | None:
    """A new token, good for ``ttl`` seconds from now; None where the project is gone."""
    now, jti = clock.now(), secrets.token_hex(16)
    expires_at = now + timedelta(seconds=ttl)
    values = {
        "jti": jti,
        "access": access,
        "description": description,
        "ttl": ttl,
        "expires_at": expires_at,
    }
    token_id = insert_below(db, now, _INSERT, project_id, values)
    if token_id is None:
        return None
    return TokenRecord(
        token_id,
        project_id,
        jti,
        access,
        description,
        ttl,
        1,
        clock.rfc3339(now),
        clock.rfc3339(now),
        clock.rfc3339(expires_at),
        None,
    )


def extend(
    db: Database, record: TokenRecord, ttl: int, revision: int | None = None
) -> TokenRecord | None:
    """The token, which now expires ``ttl`` seconds from now, even if it had expired already.

    None where it is purged or revoked, or its revision is not the given one.
    """
    now = clock.now()
    expires_at = now + timedelta(seconds=ttl)
    return change_record(
        db,
        token,
        record,
        now,
        {"ttl": ttl, "expires_at": expires_at},
        shown={"ttl": ttl, "expires_at": clock.rfc3339(expires_at), "revoked_at": None},
        # Nothing else of it ever changes.
        same={},
        revision=revision,
    )


def revoke(db: Database, token_id: int, revision: int | None = None) -> int | None:
    """Invalidate it from now on. Its new revision; None as for `extend`."""
    now = clock.now()
    return change(db, token, token_id, now, {"revoked_at": now}, revision=revision)
