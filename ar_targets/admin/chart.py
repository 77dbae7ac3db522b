"""Charts as SVG, drawn on the server: no script, and nothing from another host."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 600, 160


class Chart(NamedTuple):
    """A line chart of daily values: SVG points of the line and the area below it, and the range."""

    line: str
    area: str
    low: int
    high: int


def draw(values: Sequence[int]) -> Chart:
    """The chart of one value a day. Its range begins at the minimum, or at 0 if that is small."""
    high, low = max(values), min(values)
    low = 0 if high == low or low < high // 2 else low
    reach = (high - low) or 1
    step = WIDTH / max(1, len(values) - 1)
    points = [
        f"{index * step:.1f},{HEIGHT - (value - low) / reach * HEIGHT:.1f}"
        for index, value in enumerate(values)
    ]
    line = " ".join(points)
    return Chart(line, f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", low, high)


def running_totals(total: int, additions: Sequence[int]) -> list[int]:
    """The total at the end of each day, calculated backwards from ``total``, the last day's.

    ``additions`` may add up to more: ``total`` excludes targets of deleted projects.
    """
    before = max(0, total - sum(additions))
    totals = []
    for addition in additions:
        before = min(before + addition, total)
        totals.append(before)
    return totals
