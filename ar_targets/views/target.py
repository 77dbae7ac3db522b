"""``/api/project/<id>/imagetarget``, one target, and its ``/image``."""

import orjson
import pybase64
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..clock import rfc3339
from ..http.conditional import expected_revision, not_modified, written
from ..http.idempotency import idempotent
from ..http.pagination import listing, requested_page
from ..http.query import load_query
from ..http.representation import Json, created, deletion, found, no_content, shown, unreplaced
from ..http.restore import restore_row
from ..http.service import PROJECT, TARGET, service
from ..http.upload import target_body, upload_body
from ..models import soft_delete, target_list
from ..models import target as targets
from ..models.project import ProjectRecord
from ..models.target import TargetRecord
from ..models.target_list import ListedTarget
from ..permissions import Permission
from ..schemas.target import NewTargetBody, NewTargetQuery, TargetBody, TargetQuery
from .analysis import represent_all, require_unlike

QUERY, NEW_QUERY = TargetQuery(), NewTargetQuery()

collection = service("target_list", f"{PROJECT}/imagetarget")
target = service("target", TARGET)
target_restore = service("target_restore", f"{TARGET}/restore", resource=f"{PROJECT}/imagetarget")


def represent(address: str, record: TargetRecord) -> Json:
    """The representation of a target, as in a list. ``address`` is the application's URL."""
    path = f"/api/project/{record.project_id}/imagetarget/{record.id}/image"
    return {
        "id": record.id,
        "project_id": record.project_id,
        "name": record.name,
        "description": record.description,
        "physical_width": record.physical_width,
        "active": record.active,
        "width": record.width,
        "height": record.height,
        "size": record.size,
        "sha256": record.sha256,
        "image_url": address + path,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
    }


def represent_whole(request: Request, record: TargetRecord, metadata: str | None) -> Json:
    """The representation of one target, without its image."""
    return represent(request.application_url, record) | {"metadata": fragment(metadata)}


def represent_changed(request: Request, record: TargetRecord) -> Json:
    """As `represent_whole`, after a change: with the metadata of the body, or the database's."""
    fields = request.validated
    text = fields["metadata"] if "metadata" in fields else targets.metadata(request.db, record)
    return represent_whole(request, record, text)


def require_room(request: Request, record: TargetRecord) -> None:
    """Raise 409 where the owner may not store what the body adds to a target."""
    project: ProjectRecord = request.context.__parent__.project.record
    growth = targets.growth(request.validated, record)
    request.registry.limits.require_bytes(request.db, project.owner_id, growth)


def fragment(text: str | None) -> orjson.Fragment | None:
    """JSON text as a value of a representation: rendered as it is, without parsing it."""
    return None if text is None else orjson.Fragment(text)


@collection.get(context=resources.TargetList, permission=Permission.TARGET_LIST)
def list_targets(request: Request) -> Json:
    """The project's targets, without their images."""
    page = requested_page(request, QUERY, by=("name_prefix", "rating_min"))
    fields = page.filters.pop("fields")
    chosen = target_list.TargetFilter(**page.filters)
    project_id = request.context.project.record.id
    rows = target_list.page(
        request.db, project_id, chosen, page.rows, page.after.id, page.after.key
    )
    most, metadata = len(rows), None
    if "metadata" in fields:
        most = target_list.within_size(rows)
        metadata = target_list.metadata(request.db, rows[:most])
    analyses: dict[int, Json] = {}
    if "analysis" in fields:
        analyses = represent_all(request, [row.record for row in rows[: min(most, page.limit)]])
    # WebOb computes it on each access.
    address = request.application_url

    def represent_listed(_: Request, row: ListedTarget) -> Json:
        shown = represent(address, row.record) | deletion(row.deleted_at)
        if metadata is not None:
            shown["metadata"] = fragment(metadata.get(row.id))
        return shown | {"analysis": analyses[row.id]} if analyses else shown

    return listing(request, page, rows, represent_listed, most=most, key=lambda row: row.key)


@collection.post(
    context=resources.TargetList,
    permission=Permission.TARGET_CREATE,
    schema=NewTargetBody(),
    validators=(upload_body,),
)
@idempotent
def create_target(request: Request) -> Json:
    """Store an image."""
    fields, project = request.validated, request.context.project.record
    # Most have no query: that need not be parsed.
    allow_similar = not request.query_string or load_query(request, NEW_QUERY)["allow_similar"]
    request.registry.limits.require_target(request.db, project, targets.growth(fields))
    if not allow_similar:
        require_unlike(request, project.id, fields["image"])
    record = found(targets.create(request.db, project.id, fields))
    return created(request, record, represent_whole(request, record, fields["metadata"]))


@target.get(context=resources.Target, permission=Permission.TARGET_READ)
def read_target(request: Request) -> Json | Response:
    """One target with its image, in base64 on one line."""
    record = request.context.record
    if unchanged := not_modified(request, record.etag):
        return unchanged
    encoded = pybase64.b64encode_as_string(unreplaced(request.context.image()))
    whole = represent_whole(request, record, request.context.metadata())
    return shown(request, record, whole | {"image": encoded})


@target.put(
    context=resources.Target,
    permission=Permission.TARGET_UPDATE,
    schema=TargetBody(),
    validators=(upload_body,),
)
@target.patch(
    context=resources.Target,
    permission=Permission.TARGET_UPDATE,
    schema=TargetBody.for_patch(),
    validators=(target_body,),
)
def update_target(request: Request) -> Json:
    """Replace the target, or the fields that are sent."""
    record, fields = request.context.record, request.validated
    revision = expected_revision(request, record)
    if fields:
        require_room(request, record)
        record = written(targets.change(request.db, record, fields, revision), revision)
    return shown(request, record, represent_changed(request, record))


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
    return shown(request, record, represent_changed(request, record))
