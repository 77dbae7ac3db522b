"""A request body that is a JPEG itself; the other fields of the resource are query parameters."""

from pyramid.request import Request

from ..images import base64_jpeg
from ..schemas.body import Body
from ..settings import Settings
from .body import add_errors, bad_body, body_of
from .query import query_pairs

MEDIA_TYPE = "image/jpeg"
# The field that is the body.
FIELD = "image"


def load_jpeg(request: Request, schema: Body, settings: Settings) -> None:
    """Put the `Jpeg` and the query's fields into ``request.validated``.

    Adds to ``request.errors`` what is wrong with the query. Raises 400 for an empty body, and
    base64_jpeg.ImageError, or ImageTooLargeError before the body is read.
    """
    base64_jpeg.check_size(request.content_length or 0, settings)
    if not request.content_length:
        raise bad_body("send the bytes of a JPEG; the body is empty")
    pairs = query_pairs(request)
    known = {node.name for node in schema.children} - {FIELD}
    data = body_of(request)
    query = {name: text for name, text in pairs if name in known}
    fields, wrong = schema.load_texts({**query, FIELD: memoryview(data)})
    listed = ", ".join(sorted(known | schema.in_query)) or "none"
    unknown = {name for name, _ in pairs} - known - schema.in_query
    wrong |= dict.fromkeys(unknown, f"there is no such parameter; there are {listed}")
    add_errors(request, wrong, "querystring")
    fields[FIELD] = base64_jpeg.accept(data, settings)
    request.validated.update(fields)
