"""The body of a login."""

from typing import ClassVar

from .body import Body, Field, Text


class LoginBody(Body):
    """Any two strings: what no user can have is simply wrong (401), as any other is."""

    read_only: ClassVar[frozenset[str]] = frozenset()

    login = Field(Text())
    password = Field(Text())
