"""What the server tells about users, projects, tokens and targets, with types.

Fields that this version does not know are left out, so that a newer server
does not break an older client.
"""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from .errors import ClientError

# What a record has beside the fields that the server sends.
OUR_OWN = ("etag", "image")


@dataclass(frozen=True, kw_only=True)
class Record:
    """The base of all records."""

    @classmethod
    def read(cls, data: Any, **own: Any) -> Self:
        """A record from the server's JSON. Raises ClientError for JSON of something else."""
        try:
            named = {f.name: data[f.name] for f in dataclasses.fields(cls) if f.name not in OUR_OWN}
            moments = {
                name: datetime.fromisoformat(value)
                for name, value in named.items()
                if name.endswith("_at") and value is not None
            }
        except (KeyError, TypeError, ValueError) as odd:
            raise ClientError(
                f"the answer is no {cls.__name__.lower()} of ar_targets ({odd!r}); "
                "check the server's URL"
            ) from None
        return cls(**(named | moments | own))

    def as_json(self) -> dict[str, Any]:
        """The fields as the server sends them."""
        return {
            f.name: rfc3339(value) if isinstance(value, datetime) else value
            for f in dataclasses.fields(self)
            for value in [getattr(self, f.name)]
            if f.name not in OUR_OWN
        }


def rfc3339(moment: datetime) -> str:
    """``2026-11-23T10:15:30.123456Z``."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}Z"


@dataclass(frozen=True, kw_only=True)
class Login(Record):
    """A user token, just issued."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Stored(Record):
    """What has an id. ``etag`` is None in lists, which do not tell it."""

    id: int
    created_at: datetime
    updated_at: datetime
    etag: str | None = None


@dataclass(frozen=True, kw_only=True)
class User(Stored):
    """Somebody who may log in."""

    login: str


@dataclass(frozen=True, kw_only=True)
class Project(Stored):
    """A project of the caller's."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Token(Stored):
    """A project's token; ``token`` is the JWT to ship in an app."""

    project_id: int
    token: str = field(repr=False)
    access: str
    description: str
    ttl: int
    valid: bool
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Target(Stored):
    """An image target; ``image`` is its JPEG where one target was read, else None."""

    project_id: int
    description: str
    width: int
    height: int
    size: int
    sha256: str
    image_url: str
    image: bytes | None = field(default=None, repr=False)
