"""The base class of the API's typed records.

Unknown fields are ignored, so that a newer server does not break an older client.
Known fields are validated (`fields`), since their values are used in paths, files
and headers, and shown on terminals.
"""

from dataclasses import MISSING, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from . import fields
from .display import brief
from .errors import ClientError

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
    if isinstance(value, tuple):
        return [as_sent(each) for each in value]
    return rfc3339(value) if isinstance(value, datetime) else value


def rfc3339(moment: datetime) -> str:
    """A datetime in UTC, such as ``2026-11-23T10:15:30.123456Z``."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}Z"
