"""Typed records of the API: users, projects, their use, members, tokens and targets."""

from dataclasses import dataclass, field
from typing import Annotated

from . import fields
from .analysis import Analysis
from .record import Record
from .unset import UNSET


@dataclass(frozen=True, kw_only=True)
class Login(Record):
    """A user token, just issued."""

    token: fields.Jwt = field(repr=False)
    expires_at: fields.Moment


@dataclass(frozen=True, kw_only=True)
class Stored(Record):
    """Base class of records with an id. ``etag`` is None in lists, which do not have it."""

    id: fields.Id
    created_at: fields.Moment
    updated_at: fields.Moment
    etag: str | None = None


@dataclass(frozen=True, kw_only=True)
class User(Stored):
    """A user account."""

    login: fields.LoginName


@dataclass(frozen=True, kw_only=True)
class Project(Stored):
    """A project of the caller, or shared with the caller.

    ``deleted_at`` is None while it is live, ``role`` everywhere but in a list of shared ones.
    """

    name: fields.ProjectName
    deleted_at: fields.DeletedAt = None
    role: fields.OwnRole = None


@dataclass(frozen=True, kw_only=True)
class Limits(Record):
    """How many targets a project may have, and how many bytes all projects of its owner."""

    targets: fields.Count
    bytes: fields.Count


@dataclass(frozen=True, kw_only=True)
class Usage(Record):
    """What a project's targets take, those included that are deleted and can be restored."""

    targets: fields.Count
    bytes: fields.Count
    limits: Annotated[Limits, Limits.read]


@dataclass(frozen=True, kw_only=True)
class Member(Record):
    """A user with whom a project is shared. ``etag`` is None in lists, which do not have it."""

    user_id: fields.Id
    login: fields.LoginName
    role: fields.Role
    created_at: fields.Moment
    updated_at: fields.Moment
    etag: str | None = None

    @property
    def id(self) -> int:
        """The id by which the project knows the member: the user's."""
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class Token(Stored):
    """A project's token; ``token`` is the JWT to ship in an app."""

    project_id: fields.Id
    token: fields.Jwt = field(repr=False)
    access: fields.Access
    description: fields.TokenDescription
    ttl: fields.Seconds
    valid: fields.Flag
    expires_at: fields.Moment
    revoked_at: fields.MomentOrNull


@dataclass(frozen=True, kw_only=True)
class Target(Stored):
    """An image target; ``image`` is its JPEG if it was read by `Targets.get`, else None.

    ``physical_width`` is in metres, ``width`` and ``height`` are in pixels. ``metadata`` is any
    JSON, as Python's ``json`` reads it; UNSET in a list that leaves it out. ``deleted_at`` is
    None while the target is live, ``analysis`` where it was not asked for.
    """

    project_id: fields.Id
    name: fields.TargetName
    description: fields.TargetDescription
    physical_width: fields.PhysicalWidth
    active: fields.Flag
    width: fields.Pixels
    height: fields.Pixels
    size: fields.Size
    sha256: fields.Sha256
    image_url: fields.Url
    metadata: fields.Json = UNSET
    deleted_at: fields.DeletedAt = None
    analysis: Annotated[Analysis | None, Analysis.read] = None
    image: bytes | None = field(default=None, repr=False)
