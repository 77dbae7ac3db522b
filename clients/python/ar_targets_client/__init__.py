"""A typed client for the HTTP API, with bulk upload and export of images.

A distribution of its own: it imports nothing of the server, and installs nothing of it.
"""

from .analysis import Analysis, Problem, Similar, SimilarTargetError
from .client import Client
from .errors import (
    ApiError,
    ChangedError,
    ClientError,
    ConflictError,
    Fault,
    ForbiddenError,
    KeyReusedError,
    NotFoundError,
    OutcomeUnknownError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from .records import Limits, Login, Member, Project, Target, Token, Usage, User
from .retry import Retry
from .unset import UNSET

__all__ = [
    "UNSET",
    "Analysis",
    "ApiError",
    "ChangedError",
    "Client",
    "ClientError",
    "ConflictError",
    "Fault",
    "ForbiddenError",
    "KeyReusedError",
    "Limits",
    "Login",
    "Member",
    "NotFoundError",
    "OutcomeUnknownError",
    "Problem",
    "Project",
    "Retry",
    "Similar",
    "SimilarTargetError",
    "Target",
    "Token",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "Usage",
    "User",
]
