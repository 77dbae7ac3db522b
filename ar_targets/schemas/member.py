"""The bodies of a member of a project."""

from typing import ClassVar

from ..models.member import ROLES
from ..models.user import LOGIN_MAX
from .body import Body, Field, Length, OneOf, Text


class MemberBody(Body):
    """Whom to share a project with, and in which role."""

    read_only: ClassVar[frozenset[str]] = frozenset({"user_id", "created_at", "updated_at"})

    login = Field(Text(), validator=Length(1, LOGIN_MAX))
    role = Field(Text(), validator=OneOf(*ROLES))


class MemberRoleBody(Body):
    """The only field that can be changed: the role."""

    read_only: ClassVar[frozenset[str]] = MemberBody.read_only | {"login"}

    role = Field(Text(), validator=OneOf(*ROLES))
