"""The scales of the dashboard's charts."""

import pytest

from ar_targets.admin.chart import scale
from ar_targets.admin.template_filters import size


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0, 10**9),
        (1_234_000_000, 1_234_400_000),
        (1_010_000_000, 1_030_000_000),
        (999_000_000, 1_001_000_000),
        (7 * 10**12, 9_900_000_000_000),
        (1_000_000, 1_030_000),
    ],
)
def test_each_grid_line_says_something_else(low, high):
    """Sizes have one decimal."""
    shown = [size(tick) for tick in scale(low, high)]
    assert len(set(shown)) == len(shown)
