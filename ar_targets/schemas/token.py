"""The bodies of a project token."""

from typing import ClassVar

import colander

from ..models.token import ACCESS, DESCRIPTION_MAX
from .body import Body, Field, Integer, Length, OneOf, Text

READ_ONLY = frozenset(
    {
        "id",
        "project_id",
        "token",
        "valid",
        "created_at",
        "updated_at",
        "expires_at",
        "revoked_at",
    }
)


def ttl_fault(ttl: int | None, longest: int) -> str | None:
    """What is wrong with a ttl, if there is one; its limit is a setting."""
    if ttl is None or 1 <= ttl <= longest:
        return None
    return f"it must be from 1 to {longest} seconds"


class TokenBody(Body):
    """What may be chosen on creation; the limits of ``ttl`` are settings, for the view to check."""

    read_only: ClassVar[frozenset[str]] = READ_ONLY

    ttl = Field(Integer(), missing=colander.drop)
    access = Field(Text(), validator=OneOf(*ACCESS), missing="write")
    description = Field(Text(), validator=Length(0, DESCRIPTION_MAX), missing="")


class TokenTtlBody(Body):
    """What may be changed later: the ttl alone."""

    read_only: ClassVar[frozenset[str]] = READ_ONLY | {"access", "description"}

    ttl = Field(Integer())
