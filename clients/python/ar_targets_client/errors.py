"""Exceptions of the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .display import plain


class ClientError(Exception):
    """Base class of the client's errors. The message is one line."""

    def __str__(self) -> str:
        # The message may contain text from the server.
        return plain(super().__str__())


class UnreachableError(ClientError):
    """The connection failed before the request was sent; nothing has been done."""


class OutcomeUnknownError(ClientError):
    """The request was sent, but no attempt had a response that says whether it was done.

    A creation with an ``idempotency_key`` of one's own can be repeated with the same key.
    """


@dataclass(frozen=True)
class Fault:
    """One error that the server reports: its location, its field's name, and what is allowed."""

    location: str
    name: str
    description: str

    def __str__(self) -> str:
        return f"{self.name}: {self.description}" if self.name else self.description


class ApiError(ClientError):
    """An error response: its status, the reported errors, and the request ID for the operator.

    ``after_cut``: an attempt of the same request lost its connection or its server, and may
    have been done. ``retry_after``: the seconds of the server's Retry-After.
    """

    STATUS: ClassVar[int | None] = None

    def __init__(
        self,
        status: int,
        faults: tuple[Fault, ...],
        request_id: str | None,
        retry_after: float | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, faults, request_id)
        self.status = status
        self.faults = faults
        self.request_id = request_id
        self.retry_after = retry_after
        self.body = body or {}
        self.after_cut = False

    @property
    def message(self) -> str:
        """All reported errors in one line."""
        faults = "; ".join(map(str, self.faults))
        return plain(faults) or f"the server answered {self.status}"

    @property
    def fields(self) -> dict[str, str]:
        """The errors by the name of their field."""
        return {fault.name: fault.description for fault in self.faults if fault.name}

    def __str__(self) -> str:
        request = f", request {plain(self.request_id)}" if self.request_id else ""
        return f"{self.message} ({self.status}{request})"


class UnauthorizedError(ApiError):
    """The token is missing, invalid or expired; or the login is wrong."""

    STATUS = 401


class ForbiddenError(ApiError):
    """The token is of the wrong kind, or belongs to another owner or project."""

    STATUS = 403


class NotFoundError(ApiError):
    """The resource does not exist, or no longer."""

    STATUS = 404


class ConflictError(ApiError):
    """A name is taken, a limit is reached, or the resource's state does not allow the request."""

    STATUS = 409


class ChangedError(ApiError):
    """Somebody else has changed the resource: its entity tag is another one."""

    STATUS = 412


class KeyReusedError(ApiError):
    """The idempotency key was sent before with another body, which was done."""

    STATUS = 422


class TooManyRequestsError(ApiError):
    """Too many failed logins."""

    STATUS = 429


class UnavailableError(ApiError):
    """The server or its database is unavailable."""

    STATUS = 503


# Statuses of the server or a proxy while the server is unavailable.
UNAVAILABLE = frozenset({502, 503, 504})
BY_STATUS: dict[int | None, type[ApiError]] = {
    kind.STATUS: kind for kind in ApiError.__subclasses__()
} | dict.fromkeys(UNAVAILABLE, UnavailableError)
# Errors that every picture would meet: of the token, the project, its limits, or the server.
HOPELESS = (
    UnauthorizedError,
    ForbiddenError,
    NotFoundError,
    ConflictError,
    UnavailableError,
    UnreachableError,
    OutcomeUnknownError,
)
