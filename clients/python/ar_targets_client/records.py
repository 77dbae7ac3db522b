"""Typed records of the API: users, projects, their use, members, tokens and targets.

Unknown fields are ignored, so that a newer server does not break an older client.
Known fields are validated (`fields`), since their values are used in paths, files
and headers, and shown on terminals.
"""

from dataclasses import MISSING, dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from . import fields
from .display import brief
from .errors import ClientError
from .unset import UNSET

# Fields whose values are not shown in error messages.
SECRET = ("token",)


@dataclass(frozen=True, kw_only=True)
class Record:
    """Base class of all records.

    ``checks``: the validators of the fields in the server's JSON, by name. Those that have a
    default are not in each answer.
    """

    checks: ClassVar[dict[str, fields.Check]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        hints = get_type_hints(cls, include_extras=True)
        cls.checks = {
            name: get_args(hint)[1] for name, hint in hints.items() if get_origin(hint) is Annotated
        }

    @classmethod
    def read(cls, data: Any, **own: Any) -> Self:
        """Make a record of the server's JSON. Raises ClientError if a field is invalid.

        ``own``: the fields that are not in the server's JSON.
        """
        if not isinstance(data, dict):
            raise cls._refusal(f"it must be an object, not {brief(data)}")
        read = {}
        for name, check in cls.checks.items():
            if name not in data:
                if hasattr(cls, name):
                    continue
                raise cls._refusal(f"it has no {name}")
            try:
                read[name] = check(data[name])
            except ValueError as wrong:
                found = "" if name in SECRET else f", not {brief(data[name])}"
                raise cls._refusal(f"its {name} must be {wrong}{found}") from None
        return cls(**(read | own))

    @classmethod
    def _refusal(cls, reason: str) -> ClientError:
        return ClientError(
            f"the answer is no {cls.__name__.lower()} of ar_targets ({reason}); "
            "check the server's URL"
        )

    def as_json(self) -> dict[str, Any]:
        """The fields as the server sent them."""
        values = {name: getattr(self, name) for name in self.checks}
        return {
            name: as_sent(value)
            for name, value in values.items()
            if value is not getattr(type(self), name, MISSING)
        }


def as_sent(value: Any) -> Any:
    """A field's value as the server sent it."""
    if isinstance(value, Record):
        return value.as_json()
    return rfc3339(value) if isinstance(value, datetime) else value


def rfc3339(moment: datetime) -> str:
    """A datetime in UTC, such as ``2026-11-23T10:15:30.123456Z``."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}Z"


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
    None while the target is live.
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
    image: bytes | None = field(default=None, repr=False)
