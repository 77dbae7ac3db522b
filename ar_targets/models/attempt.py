"""Attempts to log in, counted for all processes and machines together (`ar_targets.throttle`).

One row for each login name and address holds the moments of its last attempts,
so that one statement asks, decides and counts: however many attempts come at
once, from wherever, no more than allowed get through.
"""

import struct
from collections.abc import Sequence
from typing import cast

from sqlalchemy import BINARY, Index, Table
from sqlalchemy.dialects.mysql import INTEGER, MEDIUMBLOB
from sqlalchemy.orm import Mapped, mapped_column

from .meta import TABLE_OPTIONS, Base, Moment

# A moment is eight bytes, microseconds since 1970, the greatest byte first:
# then bytes compare as the moments do.
WIDTH = 8


class Attempt(Base):
    """The last attempts of one login name from one address."""

    __tablename__ = "attempt"
    # The index is for the purge.
    __table_args__ = (Index("ix_attempt_expires_at", "expires_at"), TABLE_OPTIONS)

    # A hash, by which nobody learns who logs in, or from where.
    id: Mapped[bytes] = mapped_column(BINARY(32), primary_key=True)
    # The moments one behind the other, the oldest first.
    moments: Mapped[bytes] = mapped_column(MEDIUMBLOB)
    # How many were refused since the last one that was not.
    refused: Mapped[int] = mapped_column(INTEGER(unsigned=True), server_default="0")
    expires_at: Mapped[Moment]


attempt = cast("Table", Attempt.__table__)

# Inserts the first, adds one more, or refuses. LAST_INSERT_ID(value) sends the
# value back with the answer: 0 unless it was refused. The assignments go from
# left to right, and all ask about ``moments``: it comes last.
_FULL = (
    "LENGTH(moments) >= {width} * %(allowed)s "
    "AND LEFT(RIGHT(moments, {width} * %(allowed)s), {width}) > %(since)s"
)
ACQUIRE = (
    """
INSERT INTO attempt (id, moments, expires_at) VALUES (%(id)s, %(moment)s, %(expires_at)s)
ON DUPLICATE KEY UPDATE
    refused = IF({full}, LAST_INSERT_ID(refused + 1), 0),
    expires_at = IF({full}, expires_at, %(expires_at)s),
    moments = IF({full}, moments,
        CONCAT(RIGHT(moments, {width} * (%(allowed)s - 1)), %(moment)s))
""".replace("{full}", _FULL)
    .replace("{width}", str(WIDTH))
    .strip()
)
READ = "SELECT moments FROM attempt WHERE id = %(id)s"
FORGET = "DELETE FROM attempt WHERE id = %(id)s"


def pack(seconds: float) -> bytes:
    """A moment, in seconds since 1970, as the column holds it."""
    return struct.pack(">Q", max(0, int(seconds * 1_000_000)))


def unpack(moments: bytes) -> Sequence[float]:
    """All moments of a row, in seconds since 1970, the oldest first."""
    return [microseconds / 1_000_000 for (microseconds,) in struct.iter_unpack(">Q", moments)]
