"""Keys that clients send with a creation, so that repeating it makes nothing twice.

The row of a key is inserted first, in the transaction of the creation: a second request with the
same key waits for that transaction, then finds its answer. A failed creation leaves no row.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Index, bindparam, insert, select, update
from sqlalchemy.dialects.mysql import BINARY, MEDIUMBLOB
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from ..db.engine import LOCK_WAIT_TIMEOUT, error_number
from ..db.session import Database
from .noun import Expiring

KEPT = timedelta(hours=24)


class IdempotencyKey(Expiring, Base):
    """One key of one caller, for one method and path."""

    __tablename__ = "idempotency_key"
    expired = "old idempotency keys"
    __table_args__ = (Index("ix_idempotency_key_expires_at", "expires_at"), TABLE_OPTIONS)

    # The SHA-256 of all of that.
    id: Mapped[bytes] = mapped_column(BINARY(32), primary_key=True)
    # The SHA-256 of what was sent with it.
    fingerprint: Mapped[bytes] = mapped_column(BINARY(32))
    # Sealed (`ar_targets.auth.seal`), since it may contain a token. NULL within the transaction.
    answer: Mapped[bytes | None] = mapped_column(MEDIUMBLOB)


class Used(NamedTuple):
    """A key that has been used before."""

    fingerprint: bytes
    answer: bytes


class StillAtWorkError(Exception):
    """Another request with the key has not ended within the time that is waited for a lock."""


_INSERT = insert(IdempotencyKey)
_FIND = select(IdempotencyKey.fingerprint, IdempotencyKey.answer).where(
    IdempotencyKey.id == bindparam("key_id"), IdempotencyKey.expires_at > bindparam("now")
)
_RENEW = update(IdempotencyKey).where(
    IdempotencyKey.id == bindparam("key_id"), IdempotencyKey.expires_at <= bindparam("now")
)
_ANSWER = update(IdempotencyKey).where(IdempotencyKey.id == bindparam("key_id"))


def claim(db: Database, key_id: bytes, fingerprint: bytes, now: datetime) -> Used | None:
    """Take a key for this transaction; what is known of it where it has been used before.

    Raises StillAtWorkError.
    """
    new = {"fingerprint": fingerprint, "answer": None, "expires_at": now + KEPT}
    try:
        db.write(_INSERT, id=key_id, **new)
    except IntegrityError:
        rows = db.read(_FIND, key_id=key_id, now=now)
        if rows:
            return Used._make(rows[0])
        # An old one, which the purge has not removed yet, or has removed since the INSERT.
        if not db.write(_RENEW.values(**new), key_id=key_id, now=now).rowcount:
            raise StillAtWorkError from None
    except OperationalError as error:
        if error_number(error.orig) != LOCK_WAIT_TIMEOUT:
            raise
        raise StillAtWorkError from None
    return None


def keep(db: Database, key_id: bytes, answer: bytes) -> None:
    """Keep the sealed answer of the creation with its key."""
    db.write(_ANSWER.values(answer=answer), key_id=key_id)
