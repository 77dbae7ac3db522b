"""Dates in HTTP headers (RFC 9110, 5.6.7)."""

from datetime import datetime
from email.utils import parsedate_to_datetime

from .fields import is_told


def http_date(header: str | None) -> datetime | None:
    """Parse a date header, with its time zone; None if it is missing or invalid."""
    try:
        read = parsedate_to_datetime(header or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return read if is_told(read) else None
