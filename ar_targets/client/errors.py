"""What can go wrong between a client and the server."""

from dataclasses import dataclass
from typing import ClassVar

from .display import plain


class ClientError(Exception):
    """The base of all errors of the client. Its text is one line for people."""

    def __str__(self) -> str:
        # It may hold what a server said.
        return plain(super().__str__())


class UnreachableError(ClientError):
    """There was no answer, and nothing has been done: the server never had the whole request."""


class OutcomeUnknownError(ClientError):
    """The request went out, but no answer says whether it was done.

    Raised for requests which must not simply be sent again, such as the
    creation of a target. ``retry_after`` is what the server asked for, in seconds.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Fault:
    """One thing that the server says is wrong, where, and what would be right."""

    location: str
    name: str
    description: str

    def __str__(self) -> str:
        return f"{self.name}: {self.description}" if self.name else self.description


class ApiError(ClientError):
    """The server refused: its status, every fault it named, and the id to ask its operator about.

    ``after_cut``: an earlier attempt of the same request was cut, and may have
    been done. ``retry_after``: the seconds that the server asked to wait.
    """

    STATUS: ClassVar[int | None] = None

    def __init__(
        self,
        status: int,
        faults: tuple[Fault, ...],
        request_id: str | None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, faults, request_id)
        self.status = status
        self.faults = faults
        self.request_id = request_id
        self.retry_after = retry_after
        self.after_cut = False

    @property
    def message(self) -> str:
        """All faults in one line."""
        faults = "; ".join(map(str, self.faults))
        return plain(faults) or f"the server answered {self.status}"

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong with each field that was named."""
        return {fault.name: fault.description for fault in self.faults if fault.name}

    def __str__(self) -> str:
        request = f", request {plain(self.request_id)}" if self.request_id else ""
        return f"{self.message} ({self.status}{request})"


class UnauthorizedError(ApiError):
    """No token, or one that is not or no longer valid; or a wrong login."""

    STATUS = 401


class ForbiddenError(ApiError):
    """The token is of the wrong kind, or of another owner or project."""

    STATUS = 403


class NotFoundError(ApiError):
    """There is no such thing, or no longer."""

    STATUS = 404


class ConflictError(ApiError):
    """A name is taken, or the thing's state forbids it."""

    STATUS = 409


class ChangedError(ApiError):
    """Somebody else changed it first: read it again, then decide."""

    STATUS = 412


class TooManyRequestsError(ApiError):
    """Too many failed logins."""

    STATUS = 429


class UnavailableError(ApiError):
    """The server, or its database, cannot answer now."""

    STATUS = 503


# What proxies answer while the server behind them is away.
UNAVAILABLE = frozenset({502, 503, 504})
BY_STATUS: dict[int | None, type[ApiError]] = {
    kind.STATUS: kind for kind in ApiError.__subclasses__()
} | dict.fromkeys(UNAVAILABLE, UnavailableError)
