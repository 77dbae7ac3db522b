"""Template filters for sizes, times and durations."""

from datetime import datetime

from flask import Flask
from markupsafe import Markup

from .. import clock

UNITS = ("bytes", "KB", "MB", "GB", "TB")
SPANS = (("year", 31_536_000), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def size(number: int) -> str:
    """A number of bytes, such as ``196.7 KB``, in decimal units."""
    value, unit = float(number), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{number} bytes" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def number(value: int | None) -> str:
    """A count, such as ``12,345``; None means that there are more than are counted."""
    return "more than 10,000" if value is None else f"{value:,}"


def moment(at: datetime) -> Markup:
    """A ``<time>`` element in UTC, to the minute; its attributes have the microseconds."""
    text, short = clock.rfc3339(at), at.strftime("%d %b %Y, %H:%M")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(text, short)


def span(seconds: float) -> str:
    """A duration in the largest unit that fits, rounded down, such as ``3 days``."""
    for name, length in SPANS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


def ago(at: datetime) -> str:
    """A time relative to now: ``in 3 days`` or ``3 days ago``."""
    distance = at - clock.now()
    seconds = distance.total_seconds()
    if abs(seconds) < 1:
        return "just now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def short(text: str, length: int = 80) -> str:
    """A text on one line, cut to ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def install(app: Flask) -> None:
    """Register the filters with Jinja."""
    for function in (size, number, moment, span, ago, short):
        app.jinja_env.filters[function.__name__] = function
