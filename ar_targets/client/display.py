"""Texts that others wrote, as they may be shown to people."""


def plain(text: str) -> str:
    """A text made harmless for a terminal, on one line: what is not printable is escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
