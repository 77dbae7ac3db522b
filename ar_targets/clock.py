"""The one clock, and the one way a moment is written.

A moment is a naive ``datetime`` in UTC with microseconds, as in the database:
MySQL's ``DATETIME(6)`` knows no time zone. Clients see the text that `rfc3339` writes.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, naive, in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def rfc3339(moment: datetime) -> str:
    """``2026-11-23T10:15:30.123456Z``: always six digits, as clients have come to expect."""
    return moment.isoformat(timespec="microseconds") + "Z"


def timestamp(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down, as a JWT's claims want them (RFC 7519, 2)."""
    return int(moment.replace(tzinfo=UTC).timestamp())
