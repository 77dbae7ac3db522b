"""Who is at work on the database, for the audit trail (`ar_targets.models.audit`)."""

from typing import NamedTuple

from pyramid.request import Request

from ..telemetry import request_context


class Principal(NamedTuple):
    """Somebody, and the way by which they came.

    ``name`` is ``user:<id>``, ``token:<id>``, ``anyone`` without a token, or
    ``script``; ``via`` is ``api``, ``admin`` for the panel, or ``script``.
    """

    name: str
    via: str
    address: str | None = None
    request_id: str | None = None


SCRIPT = Principal("script", "script")


def principal_of(request: Request, via: str = "api") -> Principal:
    """The caller of a request."""
    name = request.authenticated_userid or "anyone"
    return Principal(name, via, request.remote_addr, request_context.current.get().request_id)
