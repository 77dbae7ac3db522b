"""Cornice validators that read a body with an image: JSON, a form, or the JPEG itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.request import Request

from ..errors import FieldError, problem
from ..images import base64_jpeg
from ..schemas.body import Body
from ..settings import OTHER_FIELDS
from . import form_body, jpeg_body
from .body import load, read_object, require_size, require_type

# Media type → what reads a body of that type.
UPLOADS = {form_body.MEDIA_TYPE: form_body.load_form, jpeg_body.MEDIA_TYPE: jpeg_body.load_jpeg}


def target_body(request: Request, schema: Body, others: Sequence[str] = (), **_: Any) -> None:
    """A validator: a JSON body whose ``image`` becomes a `Jpeg`. Raises 413."""
    settings = request.registry.ar_settings
    most = base64_jpeg.largest_body(settings)
    data = read_object(request, most, large="image", raw="metadata", others=others)
    if "image" not in data:
        require_size(request, OTHER_FIELDS)
    load(request, schema, data)
    with image_errors(request):
        if "image" in request.validated:
            request.validated["image"] = base64_jpeg.read(request.validated["image"], settings)


def upload_body(request: Request, schema: Body, **_: Any) -> None:
    """A validator: as `target_body`, or a form, or the JPEG itself. Raises 413."""
    if reader := UPLOADS.get(request.content_type.lower()):
        with image_errors(request):
            reader(request, schema, request.registry.ar_settings)
    else:
        target_body(request, schema, [*UPLOADS])


def image_body(request: Request, schema: Body, **_: Any) -> None:
    """A validator: the JPEG itself. Raises 413 and 415."""
    settings = request.registry.ar_settings
    with image_errors(request):
        base64_jpeg.check_size(request.content_length or 0, settings)
        require_type(request, jpeg_body.MEDIA_TYPE)
        jpeg_body.load_jpeg(request, schema, settings)


@contextmanager
def image_errors(request: Request) -> Iterator[None]:
    """Add an ImageError to the request's errors; raises 413 for an image that is too large."""
    try:
        yield
    except base64_jpeg.ImageTooLargeError as large:
        raise problem(HTTPRequestEntityTooLarge, FieldError("body", "image", str(large))) from None
    except base64_jpeg.ImageError as wrong:
        request.errors.add("body", "image", str(wrong))
