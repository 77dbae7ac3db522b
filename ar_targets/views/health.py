"""``/health/live`` and ``/health/ready``, for load balancers and container engines."""

from pyramid.httpexceptions import HTTPServiceUnavailable
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED

from ..errors import RETRY_AFTER, FieldError, problem
from ..http.representation import Json
from ..http.service import public_service
from ..models import SCHEMA_REVISION
from ..models.schema import fits, schema_revision

live = public_service("live", "/health/live")
ready = public_service("ready", "/health/ready")


@live.get(permission=NO_PERMISSION_REQUIRED)
def is_live(request: Request) -> Json:
    """Liveness: the process answers. Not the database, whose loss must restart no server."""
    return {"status": "ok"}


@ready.get(permission=NO_PERMISSION_REQUIRED)
def is_ready(request: Request) -> Json:
    """Readiness: the database can be reached and has this schema or a later one; else 503."""
    found = schema_revision(request.db)
    if not fits(found):
        reason = f"the schema is at {found}, not {SCHEMA_REVISION}; run ar_targets_initdb"
        raise problem(
            HTTPServiceUnavailable,
            FieldError("", "schema", reason),
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    return {"status": "ok", "schema": found}
