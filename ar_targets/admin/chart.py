"""Charts as SVG, drawn on the server: panel.js only shows the value under the pointer."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 600, 160
# Intervals between grid lines, at most.
INTERVALS = 4
STEPS = (1, 2, 5, 10)
# The least distance of grid lines, as a part of the top one: sizes are shown with one decimal, and
# no two lines may say the same.
LEAST = 0.1


class Chart(NamedTuple):
    """A line chart of daily values: SVG points of the line and the area below it, and its scale.

    ``ticks`` are the values of the grid lines, from the top to the bottom, at equal distances.
    """

    line: str
    area: str
    ticks: list[int]

    @property
    def heights(self) -> list[float]:
        """The grid lines' places."""
        last = max(1, len(self.ticks) - 1)
        return [HEIGHT * n / last for n in range(len(self.ticks))]


def draw(values: Sequence[int]) -> Chart:
    """The chart of one value a day; its scale begins at 0, or below a minimum that is large."""
    ticks = scale(min(values), max(values))
    low, reach = ticks[-1], ticks[0] - ticks[-1]
    step = WIDTH / max(1, len(values) - 1)
    points = [
        f"{index * step:.1f},{HEIGHT - (value - low) / reach * HEIGHT:.1f}"
        for index, value in enumerate(values)
    ]
    line = " ".join(points)
    return Chart(line, f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", ticks)


def scale(low: int, high: int) -> list[int]:
    """Round values from above the highest value down to the lowest, at equal distances."""
    low = low if low > high // 2 and low != high else 0
    wanted = max(1, (high - low) / INTERVALS, high * LEAST)
    power = 10 ** (len(str(int(wanted))) - 1)
    distance = next(step * power for step in STEPS if step * power >= wanted)
    bottom = low // distance * distance
    # Ceiling division: the line stays below the top.
    top = max(-(-high // distance) * distance, bottom + distance)
    return list(range(top, bottom - 1, -distance))
