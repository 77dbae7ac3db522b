"""``/api/project`` and ``/api/project/<id>``."""

from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..clock import rfc3339
from ..http.body import json_body
from ..http.conditional import expected_revision, not_modified, written
from ..http.idempotency import idempotent
from ..http.pagination import listing, requested_page
from ..http.representation import Json, created, deletion, found, no_content, of_caller, shown
from ..http.restore import restore_row
from ..http.service import PROJECT, service
from ..models import project as projects
from ..models import soft_delete
from ..models.project import ListedProject, ProjectRecord
from ..permissions import Permission
from ..schemas.project import ProjectBody, ProjectQuery

QUERY = ProjectQuery()

project_list = service("project_list", "/project")
project = service("project", PROJECT)
project_restore = service("project_restore", f"{PROJECT}/restore", resource="/project")


def represent_listed(request: Request, listed: ListedProject) -> Json:
    """The representation of a project in a list."""
    role = {} if listed.role is None else {"role": listed.role}
    return represent(request, listed.record) | deletion(listed.deleted_at) | role


def represent(request: Request, record: ProjectRecord) -> Json:
    """The representation of a project."""
    return {
        "id": record.id,
        "name": record.name,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
    }


@project_list.get(context=resources.ProjectList, permission=Permission.PROJECT_LIST)
def list_projects(request: Request) -> Json:
    """The caller's own projects, live or deleted, or those that others share with the caller."""
    page = requested_page(request, QUERY)
    user_id, deleted = request.identity.user_id, page.filters["deleted"]
    if page.filters["member"]:
        records = projects.shared_page(request.db, user_id, page.after.id, page.rows)
    else:
        records = projects.page(request.db, user_id, page.after.id, page.rows, deleted=deleted)
    return listing(request, page, records, represent_listed)


@project_list.post(
    context=resources.ProjectList,
    permission=Permission.PROJECT_CREATE,
    schema=ProjectBody(),
    validators=(json_body,),
)
@idempotent
def create_project(request: Request) -> Json:
    """Create a project that the caller owns."""
    owner_id, name = request.identity.user_id, request.validated["name"]
    request.registry.limits.require_project(request.db, owner_id)
    record = of_caller(projects.create(request.db, owner_id, name))
    return created(request, record, represent(request, record))


@project.get(context=resources.Project, permission=Permission.PROJECT_READ)
def read_project(request: Request) -> Json | Response:
    """One project."""
    record = request.context.record
    return not_modified(request, record.etag) or shown(request, record, represent(request, record))


@project.put(
    context=resources.Project,
    permission=Permission.PROJECT_UPDATE,
    schema=ProjectBody(),
    validators=(json_body,),
)
@project.patch(
    context=resources.Project,
    permission=Permission.PROJECT_UPDATE,
    schema=ProjectBody.for_patch(),
    validators=(json_body,),
)
def update_project(request: Request) -> Json:
    """Rename the project."""
    record, fields = request.context.record, request.validated
    revision = expected_revision(request, record)
    if fields:
        renamed = projects.rename(request.db, record, fields["name"], revision)
        record = written(renamed, revision)
    return shown(request, record, represent(request, record))


@project.delete(context=resources.Project, permission=Permission.PROJECT_DELETE)
def delete_project(request: Request) -> Response:
    """Soft-delete the project with its tokens and targets; the name is free again."""
    record = request.context.record
    revision = expected_revision(request, record)
    written(soft_delete.delete(request.db, projects.Project, record.id, revision), revision)
    return no_content()


@project_restore.post(context=resources.ProjectList, permission=Permission.PROJECT_RESTORE)
def restore_project(request: Request) -> Json:
    """Restore a project of the caller's, with the tokens and targets that it had."""
    project_id = restore_row(request, projects.Project, request.identity.user_id)
    record = found(projects.find(request.db, project_id))
    return shown(request, record, represent(request, record))
