"""Login attempts, counted for all processes and machines together (`ar_targets.auth.throttle`).

One row for each login name and address holds the times of its last attempts, so that one
statement checks the limit and counts: parallel attempts cannot exceed it.
"""

import struct
from collections.abc import Sequence

from sqlalchemy import BINARY, Index, bindparam, delete, select, text
from sqlalchemy.dialects.mysql import INTEGER, MEDIUMBLOB
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from .noun import Expiring

# A time is eight bytes, microseconds since 1970, big-endian: then bytes compare as the times do.
WIDTH = 8


class LoginAttempt(Expiring, Base):
    """The last attempts of one login name from one address."""

    __tablename__ = "attempt"
    expired = "old login attempts"
    # The index is for the purge.
    __table_args__ = (Index("ix_attempt_expires_at", "expires_at"), TABLE_OPTIONS)

    # A hash, so that the table shows neither logins nor addresses.
    id: Mapped[bytes] = mapped_column(BINARY(32), primary_key=True)
    # The times, concatenated, the oldest first.
    moments: Mapped[bytes] = mapped_column(MEDIUMBLOB)
    # Attempts refused since the last one that was accepted.
    refused: Mapped[int] = mapped_column(INTEGER(unsigned=True), server_default="0")


# Inserts the first attempt, adds another, or refuses it. The assignments are evaluated from left
# to right, and all read ``moments``, so it is assigned last. What lies further in the future than a
# window is from a clock that was ahead: it would refuse logins until that time has come.
_FULL = (
    "LENGTH(moments) >= {width} * :allowed "
    "AND LEFT(RIGHT(moments, {width} * :allowed), {width}) > :since "
    "AND LEFT(RIGHT(moments, {width} * :allowed), {width}) <= :until"
)
ACQUIRE = text(
    """
INSERT INTO attempt (id, moments, expires_at) VALUES (:id, :moment, :expires_at)
ON DUPLICATE KEY UPDATE
    refused = IF({full}, refused + 1, 0),
    expires_at = IF({full}, expires_at, :expires_at),
    moments = IF({full}, moments,
        CONCAT(RIGHT(moments, {width} * (:allowed - 1)), :moment))
""".replace("{full}", _FULL)
    .replace("{width}", str(WIDTH))
    .strip()
)
# Executed after it, in the same transaction: 0 unless the attempt was refused.
REFUSED = select(LoginAttempt.refused).where(LoginAttempt.id == bindparam("attempt_id"))
READ = select(LoginAttempt.moments).where(LoginAttempt.id == bindparam("attempt_id"))
FORGET = delete(LoginAttempt).where(LoginAttempt.id == bindparam("attempt_id"))


def pack(seconds: float) -> bytes:
    """A time, in seconds since 1970, as the column stores it."""
    return struct.pack(">Q", max(0, int(seconds * 1_000_000)))


def unpack(moments: bytes) -> Sequence[float]:
    """All times of a row, in seconds since 1970, the oldest first."""
    return [microseconds / 1_000_000 for (microseconds,) in struct.iter_unpack(">Q", moments)]
