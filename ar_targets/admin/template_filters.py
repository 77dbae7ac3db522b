"""Template filters for sizes, times and durations."""

import math
from datetime import datetime

from flask import Flask
from markupsafe import Markup

from .. import clock
from .analysis import severities

UNITS = ("bytes", "KB", "MB", "GB", "TB")
SPANS = (("year", 31_536_000), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def size(number: int) -> str:
    """A number of bytes, such as ``196.7 KB``, in decimal units."""
    value, unit = float(number), 0
    # From 999.95 on one decimal would say 1000.0.
    while value >= 999.95 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return "1 byte" if number == 1 else f"{number} bytes"
    return f"{value:.1f} {UNITS[unit]}"


def number(value: int | None) -> str:
    """A count, such as ``12,345``; None means that there are more than are counted."""
    return "more than 10,000" if value is None else f"{value:,}"


def moment(at: datetime) -> Markup:
    """A ``<time>`` element to the minute; panel.js shows it in the reader's zone.

    The title has UTC to the second, ``datetime`` the microseconds.
    """
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        clock.rfc3339(at), at.strftime("%Y-%m-%d %H:%M:%S"), at.strftime("%d %b %Y, %H:%M")
    )


def span(seconds: float) -> str:
    """A duration to the nearest, in the largest unit of which it is one: ``14 days``.

    What the next smaller unit rounds up to a whole one counts as one: 23.8 hours are a day.
    """
    for place, (name, length) in enumerate(SPANS):
        smaller = SPANS[place + 1][1] if place + 1 < len(SPANS) else length
        if seconds >= length - smaller / 2:
            count = int(seconds / length + 0.5)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


def duration(seconds: float | None) -> str:
    """An upper bound in milliseconds or seconds; None without anything measured."""
    if seconds is None:
        return "–"
    if math.isinf(seconds):
        return "more than 10 s"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.0f} s"


def ago(at: datetime) -> Markup:
    """A ``<time>`` element relative to now: ``in 3 days`` or ``3 days ago``; its title has UTC."""
    seconds = (at - clock.now()).total_seconds()
    text = f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"
    return Markup('<time class="ago" datetime="{}" title="{} UTC">{}</time>').format(
        clock.rfc3339(at),
        at.strftime("%Y-%m-%d %H:%M:%S"),
        "just now" if abs(seconds) < 1 else text,
    )


def short(text: str, length: int = 80) -> str:
    """A text on one line, cut to ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def install(app: Flask) -> None:
    """Register the filters with Jinja."""
    for function in (size, number, moment, span, duration, ago, short, severities):
        app.jinja_env.filters[function.__name__] = function
