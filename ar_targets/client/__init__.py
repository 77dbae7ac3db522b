"""A typed client for the HTTP API, and what moves many images at once.

It stands on its own: nothing of the server is imported, so it runs where the
server's libraries are not installed. Its own are the extra ``client``.
"""

from .client import Client
from .errors import (
    ApiError,
    ChangedError,
    ClientError,
    ConflictError,
    Fault,
    ForbiddenError,
    NotFoundError,
    OutcomeUnknownError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from .records import Login, Project, Target, Token, User
from .retry import Retry

__all__ = [
    "ApiError",
    "ChangedError",
    "Client",
    "ClientError",
    "ConflictError",
    "Fault",
    "ForbiddenError",
    "Login",
    "NotFoundError",
    "OutcomeUnknownError",
    "Project",
    "Retry",
    "Target",
    "Token",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "User",
]
