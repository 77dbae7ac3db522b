"""``/api/openapi.json``: the OpenAPI description of the API, from a cache in memory."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from ..http import conditional, representation
from ..http.service import public_service

openapi = public_service("openapi", "/api/openapi.json")


@openapi.get(permission=NO_PERMISSION_REQUIRED)
def read_description(request: Request) -> Response:
    """The OpenAPI document, with the URL prefix of the request (``SCRIPT_NAME``)."""
    text = request.registry.description.text(request.script_name)
    if unchanged := conditional.not_modified(request, text.etag):
        return unchanged
    response = Response(body=text.body, content_type="application/json", charset=None)
    representation.tag_response(response, text.etag)
    return response
