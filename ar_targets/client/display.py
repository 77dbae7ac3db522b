"""Texts that others wrote, as they may be shown to people."""

import reprlib
from typing import Any

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80


def plain(text: str) -> str:
    """A text made harmless for a terminal, on one line: what is not printable is escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def brief(value: Any) -> str:
    """A value of any type and size, quoted as in Python, cut to less than a line or two."""
    return _BRIEF.repr(value)
