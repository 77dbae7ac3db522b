"""``/api/project/<id>/imagetarget``, one target, and its ``/image``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pybase64
from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..clock import rfc3339
from ..errors import FieldError, problem
from ..http.body import load, read_object
from ..http.conditional import expected_revision, not_modified, written
from ..http.jpeg_body import MEDIA_TYPE, load_jpeg
from ..http.pagination import listing, requested_page
from ..http.representation import Json, created, found, no_content, shown
from ..http.restore import restore_row
from ..http.service import PROJECT, TARGET, service
from ..images import base64_jpeg
from ..models import soft_delete
from ..models import target as targets
from ..models.target import TargetRecord
from ..permissions import Permission
from ..schemas.body import Body
from ..schemas.target import TargetBody

target_list = service("target_list", f"{PROJECT}/imagetarget")
target = service("target", TARGET)
target_restore = service("target_restore", f"{TARGET}/restore", resource=f"{PROJECT}/imagetarget")


def represent(address: str, record: TargetRecord) -> Json:
    """The representation of a target, without its image. ``address`` is the application's URL."""
    path = f"/api/project/{record.project_id}/imagetarget/{record.id}/image"
    return {
        "id": record.id,
        "project_id": record.project_id,
        "description": record.description,
        "width": record.width,
        "height": record.height,
        "size": record.size,
        "sha256": record.sha256,
        "image_url": address + path,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
    }


def target_body(request: Request, schema: Body, others: Sequence[str] = (), **_: Any) -> None:
    """A validator: a JSON body whose ``image`` becomes a `Jpeg`. Raises 413."""
    settings = request.registry.ar_settings
    most = base64_jpeg.largest_body(settings)
    load(request, schema, read_object(request, most, "image", others))
    with image_errors(request):
        if "image" in request.validated:
            request.validated["image"] = base64_jpeg.read(request.validated["image"], settings)


def target_or_jpeg_body(request: Request, schema: Body, **_: Any) -> None:
    """A validator: as `target_body`, or the JPEG itself. Raises 413."""
    if request.content_type.lower() == MEDIA_TYPE:
        with image_errors(request):
            load_jpeg(request, schema, request.registry.ar_settings)
    else:
        target_body(request, schema, [MEDIA_TYPE])


@contextmanager
def image_errors(request: Request) -> Iterator[None]:
    """Add an ImageError to the request's errors; raises 413 for an image that is too large."""
    try:
        yield
    except base64_jpeg.ImageTooLargeError as large:
        raise problem(HTTPRequestEntityTooLarge, FieldError("body", "image", str(large))) from None
    except base64_jpeg.ImageError as wrong:
        request.errors.add("body", "image", str(wrong))


@target_list.get(context=resources.TargetList, permission=Permission.TARGET_LIST)
def list_targets(request: Request) -> Json:
    """The project's targets, without their images."""
    page = requested_page(request)
    records = targets.page(request.db, request.context.project.record.id, page.after, page.rows)
    # WebOb computes it on each access.
    address = request.application_url
    return listing(request, page, records, lambda _, record: represent(address, record))


@target_list.post(
    context=resources.TargetList,
    permission=Permission.TARGET_CREATE,
    schema=TargetBody(),
    validators=(target_or_jpeg_body,),
)
def create_target(request: Request) -> Json:
    """Store an image."""
    fields, project_id = request.validated, request.context.project.record.id
    made = targets.create(request.db, project_id, fields["image"], fields["description"])
    record = found(made)
    return created(request, record, represent(request.application_url, record))


@target.get(context=resources.Target, permission=Permission.TARGET_READ)
def read_target(request: Request) -> Json | Response:
    """One target with its image, in base64 on one line."""
    record = request.context.record
    if unchanged := not_modified(request, record.etag):
        return unchanged
    encoded = pybase64.b64encode_as_string(found(request.context.image()))
    return shown(request, record, represent(request.application_url, record) | {"image": encoded})


@target.put(
    context=resources.Target,
    permission=Permission.TARGET_UPDATE,
    schema=TargetBody(),
    validators=(target_or_jpeg_body,),
)
@target.patch(
    context=resources.Target,
    permission=Permission.TARGET_UPDATE,
    schema=TargetBody.for_patch(),
    validators=(target_body,),
)
def update_target(request: Request) -> Json:
    """Replace the image, the description, or both."""
    record, fields = request.context.record, request.validated
    revision = expected_revision(request, record)
    if fields:
        changed = targets.change(
            request.db,
            record,
            jpeg=fields.get("image"),
            description=fields.get("description"),
            revision=revision,
        )
        record = written(changed, revision)
    return shown(request, record, represent(request.application_url, record))


@target.delete(context=resources.Target, permission=Permission.TARGET_DELETE)
def delete_target(request: Request) -> Response:
    """Soft-delete the target."""
    record = request.context.record
    revision = expected_revision(request, record)
    written(soft_delete.delete(request.db, targets.Target, record.id, revision), revision)
    return no_content()


@target_restore.post(context=resources.TargetList, permission=Permission.TARGET_RESTORE)
def restore_target(request: Request) -> Json:
    """Restore a target of the project."""
    project_id = request.context.project.record.id
    target_id = restore_row(request, targets.Target, project_id)
    record = found(targets.find(request.db, project_id, target_id))
    return shown(request, record, represent(request.application_url, record))
