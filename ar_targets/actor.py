"""Who is at work on the database, for the audit trail (`ar_targets.models.audit`)."""

from typing import NamedTuple

from pyramid.request import Request

from .telemetry import trace


class Actor(NamedTuple):
    """Somebody, and the way by which they came.

    ``name`` is ``user:<id>``, ``token:<id>``, ``anyone`` without a token, or
    ``script``; ``via`` is ``api``, ``admin`` for the panel, or ``script``.
    """

    name: str
    via: str
    address: str | None = None
    request_id: str | None = None


SCRIPT = Actor("script", "script")


def actor_of(request: Request, via: str = "api") -> Actor:
    """The caller of a request."""
    name = request.authenticated_userid or "anyone"
    return Actor(name, via, request.remote_addr, trace.current.get().request_id)
