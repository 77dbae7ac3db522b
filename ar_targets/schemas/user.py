"""The body of a user."""

from ..models.user import LOGIN_MAX, PASSWORD_MAX, PASSWORD_MIN
from .body import Body, Field, Length, Text


class UserBody(Body):
    """``login`` and ``password``; the latter is never sent back."""

    login = Field(Text(), validator=Length(1, LOGIN_MAX))
    password = Field(Text(), validator=Length(PASSWORD_MIN, PASSWORD_MAX))
