"""``/`` and ``/api``: where things are, as a page for browsers and as JSON for programs."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..http.execution_policy import SAFE
from ..http.representation import Json
from ..http.service import public_service
from ..models.schema import fits, schema_revision
from ..openapi.page import index_page
from ..version import VERSION

# One style sheet and one icon, both from this server.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
JSON, HTML = "application/json", "text/html"

index = public_service("index", "/")
api_index = public_service("api_index", "/api")


@api_index.get(permission=NO_PERMISSION_REQUIRED)
@index.get(permission=NO_PERMISSION_REQUIRED)
def read_index(request: Request) -> Response:
    """The links of this server; HTML where the Accept header prefers it."""
    offers = request.accept.acceptable_offers([JSON, HTML])
    shown = links(request)
    if offers and offers[0][0] == HTML:
        response = Response(index_page(shown), content_type=HTML, charset="utf-8")
        response.headers.update(SAFE | {"Content-Security-Policy": POLICY})
    else:
        response = Response(json_body=shown, content_type=JSON, charset=None)
    response.headers["Cache-Control"] = "no-store"
    response.vary = ("Accept",)
    return response


def links(request: Request) -> Json:
    """Name, version, readiness, and absolute URLs; ``panel`` is null where it is switched off."""
    address = request.application_url
    panel = request.registry.ar_settings.admin_panel
    return {
        "name": "ar_targets",
        "version": VERSION,
        "ready": is_ready(request),
        "api": f"{address}/api",
        "docs": f"{address}/api/docs",
        "description": f"{address}/api/openapi.json",
        "health": f"{address}/health/ready",
        "panel": f"{address}/admin/" if panel else None,
    }


def is_ready(request: Request) -> bool:
    """Whether the database can be reached and has a schema that this version works on."""
    try:
        return fits(schema_revision(request.db))
    except (DBAPIError, PoolTimeout):
        return False
