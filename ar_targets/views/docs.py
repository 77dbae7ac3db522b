"""``/api/docs``: Swagger UI for the OpenAPI description, with its static files."""

import re

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from ..http import conditional
from ..http.execution_policy import SAFE
from ..http.service import public_service
from ..openapi.page import ASSETS, Asset, page

# Only from this server. Swagger UI uses data: URLs for its icons, and blob: URLs for images that
# it has downloaded.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOR_A_YEAR = "public, max-age=31536000, immutable"

docs = public_service("docs", "/api/docs")
# The pattern lists all names: unknown ones are a 404 with any method.
docs_asset = public_service("docs_asset", f"/api/docs/{{asset:{'|'.join(map(re.escape, ASSETS))}}}")


@docs.get(permission=NO_PERMISSION_REQUIRED)
def read_docs(request: Request) -> Response:
    """The HTML page."""
    response = Response(page(request.script_name), content_type="text/html", charset="utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers.update(SAFE | {"Content-Security-Policy": POLICY})
    return response


@docs_asset.get(permission=NO_PERMISSION_REQUIRED)
def read_docs_asset(request: Request) -> Response:
    """A static file of the page."""
    asset = request.registry.docs_assets[request.matchdict["asset"]]
    if unchanged := conditional.not_modified(request, asset.etag):
        response = unchanged
    else:
        response = Response(body=asset.body, content_type=asset.media_type)
        response.etag = asset.etag
    response.headers["Cache-Control"] = keeping(request, asset)
    return response


def keeping(request: Request, asset: Asset) -> str:
    """The Cache-Control of an asset: immutable if the query string is its entity tag."""
    return FOR_A_YEAR if request.query_string == asset.etag else "no-cache"
