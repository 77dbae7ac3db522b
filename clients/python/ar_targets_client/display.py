"""Makes untrusted text safe to show on a terminal."""

import reprlib
from typing import Any

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80


def plain(text: str) -> str:
    """Escape characters that are not printable, line breaks included."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def brief(value: Any) -> str:
    """The repr of any value, shortened to a line or two."""
    return _BRIEF.repr(value)
