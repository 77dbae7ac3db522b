"""The body of a login."""

from typing import ClassVar

from .body import Body, Field, Text


class LoginBody(Body):
    """Any two strings: values that no user can have are a wrong login (401), not invalid (400)."""

    read_only: ClassVar[frozenset[str]] = frozenset()

    login = Field(Text())
    password = Field(Text())
