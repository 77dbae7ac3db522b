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
    """The error message for an invalid ttl, or None; ``longest`` is a setting, in seconds."""
    if ttl is None or 1 <= ttl <= longest:
        return None
    return f"it must be from 1 to {longest} seconds"


class TokenBody(Body):
    """The fields of a new token; the view checks ``ttl``, whose limit is a setting."""

    read_only: ClassVar[frozenset[str]] = READ_ONLY

    ttl = Field(Integer(), missing=colander.drop)
    access = Field(Text(), validator=OneOf(*ACCESS), missing="write")
    description = Field(Text(), validator=Length(0, DESCRIPTION_MAX), missing="")


class TokenTtlBody(Body):
    """The only field that can be changed: the ttl."""

    read_only: ClassVar[frozenset[str]] = READ_ONLY | {"access", "description"}

    ttl = Field(Integer())
