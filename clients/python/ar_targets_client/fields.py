"""Validators of the records' fields, as the API's description defines them.

A field is annotated with a check: a callable that takes a value from the server's JSON
and returns the value for Python, or raises ValueError with what is allowed.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

Check = Callable[[object], object]

# Years that every system can convert to local time.
YEARS = range(1970, 3000)
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True)
class Whole:
    """An integer from ``low`` to ``high``, inclusive."""

    low: int
    high: int

    def __call__(self, value: object) -> int:
        """The integer, unchanged. Raises ValueError."""
        # In Python, bool is a subclass of int.
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValueError(f"a whole number from {self.low} to {self.high}")
        return value


@dataclass(frozen=True)
class Text:
    """A string of ``shortest`` to ``longest`` characters, without NUL and lone surrogates."""

    shortest: int
    longest: int

    def __call__(self, value: object) -> str:
        """The string, unchanged. Raises ValueError."""
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            raise ValueError(f"a text of {self.shortest} to {self.longest} characters")
        if "\0" in value or not encodable(value):
            raise ValueError("a text without NUL and lone surrogates")
        return value


@dataclass(frozen=True)
class Pattern:
    """A string that matches a regular expression; ``meaning`` describes it in words."""

    expression: str
    meaning: str

    def __call__(self, value: object) -> str:
        """The string, unchanged. Raises ValueError."""
        if not isinstance(value, str) or re.fullmatch(self.expression, value) is None:
            raise ValueError(self.meaning)
        return value


@dataclass(frozen=True)
class Number:
    """A number above ``low``, and at most ``high``, as a float."""

    low: float
    high: float

    def __call__(self, value: object) -> float:
        """The number. Raises ValueError."""
        # In Python, bool is a subclass of int, and nan compares as nothing.
        if type(value) not in (int, float) or not self.low < value <= self.high:  # type: ignore[operator]
            raise ValueError(f"a number above {self.low:g} up to {self.high:g}")
        return float(value)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Nullable:
    """What ``check`` takes, or null, which is None."""

    check: Check

    def __call__(self, value: object) -> object:
        """None, or what the check returns. Raises ValueError."""
        try:
            return None if value is None else self.check(value)
        except ValueError as wrong:
            raise ValueError(f"{wrong}, or null") from None


@dataclass(frozen=True)
class Each:
    """A list of what ``check`` takes, as a tuple, of that ``length`` or any."""

    check: Check
    length: int | None = None

    def __call__(self, value: object) -> tuple[Any, ...]:
        """The checked values. Raises ValueError, or what the check raises."""
        if not isinstance(value, list) or self.length not in (None, len(value)):
            raise ValueError("a list" if self.length is None else f"a list of {self.length}")
        return tuple(map(self.check, value))


def json_value(value: object) -> Any:
    """A value that can be written as JSON again, unchanged. Raises ValueError."""
    try:
        as_json(value).encode()
    except (ValueError, RecursionError):
        raise ValueError("JSON that is not nested too deeply, without lone surrogates") from None
    return value


def as_json(value: Any) -> str:
    """JSON text, every character as it is. Raises TypeError, ValueError or RecursionError."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def encodable(text: str) -> bool:
    """Whether a text can be encoded as UTF-8: it has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def flag(value: object) -> bool:
    """A boolean, unchanged. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004  # all checks raise the same
    return value


def share(value: object) -> float:
    """A number from 0 to 1, as a float. Raises ValueError."""
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError("a number from 0 to 1")
    return float(value)  # type: ignore[arg-type]


def moment(value: object) -> datetime:
    """Parse a datetime such as ``2026-11-23T10:15:30.123456Z``. Raises ValueError."""
    wrong = f"a moment like 2026-11-23T10:15:30.123456Z, from {YEARS[0]} to {YEARS[-1]}"
    if not isinstance(value, str) or MOMENT.fullmatch(value) is None:
        raise ValueError(wrong)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(wrong) from None
    if not is_told(read):
        raise ValueError(wrong)
    return read


def is_told(moment: datetime) -> bool:
    """Whether a datetime has a time zone, and every system can convert it to local time."""
    return moment.tzinfo is not None and moment.year in YEARS


# Maximum bytes of an image that a server's settings can allow.
IMAGE_MAX = 268_435_456

ID = Whole(1, 2**63 - 1)
SHA256 = Pattern("[0-9a-f]{64}", "64 hexadecimal digits in lower case")
# Of an upload's creations, as `ar_targets_client.transport.new_key` makes them.
KEY = Pattern("[0-9a-f]{32}", "32 hexadecimal digits in lower case")
TARGET_NAME = Nullable(Text(1, 255))
# Metres, of the printed picture.
PHYSICAL_WIDTH = Nullable(Number(0, 1000))

Id = Annotated[int, ID]
Pixels = Annotated[int, Whole(1, 65_535)]
Size = Annotated[int, Whole(1, IMAGE_MAX)]
Count = Annotated[int, Whole(0, 2**63 - 1)]
Seconds = Annotated[int, Whole(1, 2**63 - 1)]
Flag = Annotated[bool, flag]
Moment = Annotated[datetime, moment]
MomentOrNull = Annotated[datetime | None, Nullable(moment)]
# Sent for what is deleted alone.
DeletedAt = Annotated[datetime | None, moment]
LoginName = Annotated[str, Text(1, 64)]
ProjectName = Annotated[str, Text(1, 255)]
TokenDescription = Annotated[str, Text(0, 255)]
TargetName = Annotated[str | None, TARGET_NAME]
TargetDescription = Annotated[str, Text(0, 65_535)]
PhysicalWidth = Annotated[float | None, PHYSICAL_WIDTH]
Json = Annotated[Any, json_value]
ROLE = Pattern("editor|viewer", "'editor' or 'viewer'")
Role = Annotated[str, ROLE]
# Sent for projects that others share alone.
OwnRole = Annotated[str | None, ROLE]
Access = Annotated[str, Pattern("read|write", "'read' or 'write'")]
Jwt = Annotated[str, Pattern(r"([A-Za-z0-9_-]{1,2000}\.){2}[A-Za-z0-9_-]{1,2000}", "a JWT")]
Sha256 = Annotated[str, SHA256]
Url = Annotated[str, Pattern("https?://[!-~]{1,2000}", "a URL that begins with http or https")]

Status = Literal["pending", "done", "failed"]
Severity = Literal["info", "warning", "error"]
# Trackability is from 0 to 100, and a rating is so many stars.
SCORE_MAX, RATING_MAX = 100, 5

AnalysisStatus = Annotated[Status, Pattern("pending|done|failed", "'pending', 'done' or 'failed'")]
# Which problems there are grows with the server's versions.
ProblemCode = Annotated[str, Pattern("[a-z][a-z0-9_]{0,63}", "a word in lower case")]
ProblemSeverity = Annotated[Severity, Pattern("info|warning|error", "'info', 'warning' or 'error'")]
Sentence = Annotated[str, Text(0, 10_000)]
# In pixels: x, y, width and height.
Area = Annotated[tuple[int, int, int, int] | None, Nullable(Each(Whole(0, 65_535), length=4))]
Similarity = Annotated[float, share]
Version = Annotated[int, Whole(1, 2**31 - 1)]
# Of a picture that is not stored, the PNG itself.
HeatmapUrl = Annotated[
    str,
    Pattern(
        "https?://[!-~]{1,2000}|data:image/png;base64,[A-Za-z0-9+/=]{1,100000}",
        "a URL that begins with http or https, or a PNG",
    ),
]
# Null until a picture is analysed.
ScoreOrNull = Annotated[int | None, Nullable(Whole(0, SCORE_MAX))]
RatingOrNull = Annotated[int | None, Nullable(Whole(0, RATING_MAX))]
CountOrNull = Annotated[int | None, Nullable(Whole(0, 2**63 - 1))]
