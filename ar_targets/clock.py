"""The current time, and its formats: RFC 3339 for clients, POSIX timestamps for JWTs.

Datetimes are naive, in UTC, with microseconds, as in the database: MySQL's ``DATETIME(6)`` has no
time zone.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, naive, in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def rfc3339(moment: datetime) -> str:
    """``2026-11-23T10:15:30.123456Z``: always six fractional digits, which clients rely on."""
    return moment.isoformat(timespec="microseconds") + "Z"


def timestamp(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down, as in a JWT's claims (NumericDate, RFC 7519, 2)."""
    return int(moment.replace(tzinfo=UTC).timestamp())
