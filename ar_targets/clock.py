"""The one clock, and the one way a moment is written.

Every moment in the program and in the database is a naive ``datetime`` in UTC
with microseconds: MySQL's ``DATETIME(6)`` knows no time zone, and one
convention held everywhere is simpler than a conversion at each border.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, naive, in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def rfc3339(moment: datetime) -> str:
    """``2026-11-23T10:15:30.123456Z``: always six digits, so that texts sort as moments do."""
    return moment.isoformat(timespec="microseconds") + "Z"


def timestamp(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down, as a JWT's claims want them (RFC 7519, 2)."""
    return int(moment.replace(tzinfo=UTC).timestamp())
