"""``/api/project/<id>/imagetarget/<target_id>/image``: the JPEG itself."""

import re

from pyramid.httpexceptions import HTTPRequestRangeNotSatisfiable
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..errors import FieldError, problem
from ..http import conditional, representation
from ..http.file_name import jpeg_disposition
from ..http.service import TARGET, service
from ..http.upload import image_body
from ..models import target as targets
from ..models.target import TargetRecord
from ..permissions import Permission
from ..schemas.target import ImageBody
from .target import represent_changed, require_room

# A single range, with its first position, its last, or both (RFC 9110, 14.1.2). Python converts
# numbers of up to 4,300 digits; a longer one is not a valid range.
RANGE = re.compile(r"bytes=(?=-?[0-9])([0-9]{0,4300})-([0-9]{0,4300})", re.ASCII | re.IGNORECASE)


target_image = service("target_image", f"{TARGET}/image", resource=TARGET)


@target_image.get(context=resources.Target, permission=Permission.TARGET_READ)
def read_image(request: Request) -> Response:
    """The JPEG's bytes as uploaded, or the requested range of them."""
    record = request.context.record
    if unchanged := conditional.not_modified(request, record.sha256):
        return unchanged
    response = Response(content_type="image/jpeg", charset=None)
    representation.tag_response(response, record.sha256)
    response.accept_ranges = "bytes"
    response.headers["Content-Disposition"] = jpeg_disposition(record.name, record.id)
    part = requested_range(request, record)
    start, stop = part or (0, record.size)
    if part is not None:
        response.status_int = 206
        response.content_range = (start, stop, record.size)
    if request.method != "HEAD":
        response.body = read_bytes(request, record, start, stop)
    response.content_length = stop - start
    return response


@target_image.put(
    context=resources.Target,
    permission=Permission.TARGET_UPDATE,
    schema=ImageBody(),
    validators=(image_body,),
)
def replace_image(request: Request) -> representation.Json:
    """Replace the image, and nothing else of the target."""
    record = request.context.record
    revision = conditional.expected_revision(request, record, record.sha256)
    require_room(request, record)
    changed = conditional.written(
        targets.change(request.db, record, request.validated, revision), revision
    )
    # That of this resource, the image.
    representation.tag_response(request.response, changed.sha256)
    return represent_changed(request, changed)


def requested_range(request: Request, record: TargetRecord) -> tuple[int, int] | None:
    """The byte range of ``Range`` as (start, stop), ``stop`` excluded; None for the whole image.

    Several ranges, units other than bytes, methods other than GET, and a range of an image that
    has changed since (``If-Range``) get the whole image, as RFC 9110 (14.2) requires or allows.
    Raises 416 for a range that contains no byte of the image.
    """
    header = RANGE.fullmatch(request.headers.get("Range", ""))
    if header is None or request.method != "GET" or not fresh(request, record):
        return None
    first, last = (int(text) if text else None for text in header.groups())
    if first is None:
        # A suffix range: the last bytes of the image.
        start, stop = max(0, record.size - (last or 0)), record.size
    else:
        start, stop = first, record.size if last is None else min(last + 1, record.size)
    if last is not None and first is not None and last < first:
        return None
    if start >= stop:
        raise problem(
            HTTPRequestRangeNotSatisfiable,
            FieldError("header", "Range", f"the image has {record.size} bytes"),
            headers={"Content-Range": f"bytes */{record.size}"},
        )
    return start, stop


def fresh(request: Request, record: TargetRecord) -> bool:
    """Whether there is no If-Range, or it matches the image's entity tag."""
    condition = request.headers.get("If-Range")
    return condition is None or condition.strip() == f'"{record.sha256}"'


def read_bytes(request: Request, record: TargetRecord, start: int, stop: int) -> bytes:
    """The bytes of the image; the request runs again where it changed since its record was read."""
    if (start, stop) == (0, record.size):
        data = request.context.image()
    else:
        data = targets.image_slice(request.db, record, start, stop)
    return representation.unreplaced(data)
