"""How the panel shows sizes, times and durations."""

from datetime import datetime, timedelta

import pytest

from ar_targets import clock
from ar_targets.admin import template_filters

DAY, HOUR = 86_400, 3_600


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (0.4, "0 seconds"),
        (1, "1 second"),
        (44, "44 seconds"),
        (59.4, "59 seconds"),
        (59.7, "1 minute"),
        (90, "2 minutes"),
        (59.4 * 60, "59 minutes"),
        (59.7 * 60, "1 hour"),
        (23.4 * HOUR, "23 hours"),
        (23.8 * HOUR, "1 day"),
        (20 * HOUR, "20 hours"),
        (36 * HOUR, "2 days"),
        (14 * DAY - 0.5, "14 days"),
        (14 * DAY - 5 * HOUR, "14 days"),
        (13 * DAY + HOUR, "13 days"),
        (365 * DAY, "1 year"),
        (360 * DAY, "360 days"),
        (364.6 * DAY, "1 year"),
        (540 * DAY, "1 year"),
    ],
)
def test_spans(seconds, text):
    assert template_filters.span(seconds) == text


def test_moments_have_utc_in_their_titles():
    shown = template_filters.moment(datetime(2026, 11, 28, 18, 5, 9, 123456))  # noqa: DTZ001
    assert shown == (
        '<time datetime="2026-11-28T18:05:09.123456Z" title="2026-11-28 18:05:09 UTC">'
        "28 Nov 2026, 18:05</time>"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (-0.9, "just now"),
        (-90, "2 minutes ago"),
        (14 * DAY - 0.5, "in 14 days"),
        (-3 * HOUR, "3 hours ago"),
    ],
)
def test_times_relative_to_now_have_utc_in_their_titles(monkeypatch, seconds, text):
    now = datetime(2026, 11, 28, 18, 5, 9)  # noqa: DTZ001
    monkeypatch.setattr(clock, "now", lambda: now)
    at = now + timedelta(seconds=seconds)
    shown = template_filters.ago(at)
    assert shown.endswith(f">{text}</time>")
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC"' in shown


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (999_960, "1.0 MB"),
        (10_485_760, "10.5 MB"),
    ],
)
def test_sizes(number, text):
    assert template_filters.size(number) == text


def test_short():
    assert template_filters.short("a\n b", 10) == "a b"
    assert template_filters.short("x" * 11, 10) == "x" * 9 + "…"
