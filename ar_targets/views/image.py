"""``/api/project/<id>/imagetarget/<target_id>/image``: the JPEG itself."""

from pyramid.httpexceptions import HTTPRequestRangeNotSatisfiable
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..errors import FieldError, problem
from ..models import target as targets
from ..models.target import TargetRecord
from ..permissions import Permission
from . import etag
from .service import TARGET, service
from .single import found

target_image = service("target_image", f"{TARGET}/image", resource=TARGET)


@target_image.get(context=resources.Target, permission=Permission.TARGET_READ)
def read_image(request: Request) -> Response:
    """The bytes as they were sent, or the range of them that is asked for."""
    record = request.context.record
    if unchanged := etag.not_modified(request, record.sha256):
        return unchanged
    response = Response(content_type="image/jpeg", charset=None)
    etag.tag(response, record.sha256)
    response.accept_ranges = "bytes"
    start, stop = requested_range(request, record) or (0, record.size)
    if (start, stop) != (0, record.size):
        response.status_int = 206
        response.content_range = (start, stop, record.size)
    if request.method != "HEAD":
        response.body = read_bytes(request, record, start, stop)
    response.content_length = stop - start
    return response


def requested_range(request: Request, record: TargetRecord) -> tuple[int, int] | None:
    """The one range of ``Range``, from its first byte up to its last; None for all of them.

    Several ranges, units other than bytes, and a range for an image that has
    changed since (``If-Range``) are answered with the whole, as RFC 9110 (14)
    allows. Raises 416 for a range that begins past the end.
    """
    wanted = request.range
    if wanted is None or not fresh(request, record):
        return None
    whole: tuple[int, int] | None = wanted.range_for_length(record.size)
    if whole is None:
        raise problem(
            HTTPRequestRangeNotSatisfiable,
            FieldError("header", "Range", f"the image has {record.size} bytes"),
            headers={"Content-Range": f"bytes */{record.size}"},
        )
    return whole


def fresh(request: Request, record: TargetRecord) -> bool:
    """Whether there is no If-Range, or it names this very image."""
    condition = request.headers.get("If-Range")
    return condition is None or condition.strip() == f'"{record.sha256}"'


def read_bytes(request: Request, record: TargetRecord, start: int, stop: int) -> bytes:
    """That part of the image; 404 where it is gone since its record was read."""
    if (start, stop) == (0, record.size):
        data: bytes = found(targets.image(request.db, record))
    else:
        data = found(targets.image_slice(request.db, record, start, stop))
    return data
