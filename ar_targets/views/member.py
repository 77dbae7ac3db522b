"""``/api/project/<id>/member`` and ``/api/project/<id>/member/<user_id>``."""

from pyramid.httpexceptions import HTTPConflict, HTTPException, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..clock import rfc3339
from ..errors import FieldError, problem
from ..http.body import json_body
from ..http.conditional import expected_revision, not_modified, written
from ..http.idempotency import idempotent
from ..http.pagination import listing, requested_page
from ..http.representation import Json, created, no_content, shown
from ..http.service import MEMBER, PROJECT, service
from ..models import member as members
from ..models import membership
from ..models import user as users
from ..models.member import MemberRecord
from ..permissions import Permission
from ..schemas.member import MemberBody, MemberRoleBody

member_list = service("member_list", f"{PROJECT}/member")
member = service("member", MEMBER)


def represent(request: Request, record: MemberRecord) -> Json:
    """The representation of a member."""
    return {
        "user_id": record.user_id,
        "login": record.login,
        "role": record.role,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
    }


@member_list.get(context=resources.MemberList, permission=Permission.MEMBER_LIST)
def list_members(request: Request) -> Json:
    """The project's members, by the ids of the users."""
    page = requested_page(request)
    project_id = request.context.project.record.id
    records = members.page(request.db, project_id, page.after.id, page.rows)
    return listing(request, page, records, represent)


@member_list.post(
    context=resources.MemberList,
    permission=Permission.MEMBER_CREATE,
    schema=MemberBody(),
    validators=(json_body,),
)
@idempotent
def create_member(request: Request) -> Json:
    """Share the project with the user of a login."""
    fields, project = request.validated, request.context.project.record
    user = users.find_by_login(request.db, fields["login"])
    if user is None:
        raise unknown_login()
    if user.id == project.owner_id:
        raise login_problem(HTTPConflict, "this is the owner, who may do all that members may")
    try:
        record = membership.create(request.db, project.id, user, fields["role"])
    except membership.AlreadyMemberError:
        already = "this user is a member already; change the role instead"
        raise login_problem(HTTPConflict, already) from None
    if record is None:
        raise unknown_login()
    return created(request, record, represent(request, record))


def unknown_login() -> HTTPException:
    """A 404 that names the login; of a user who is deleted meanwhile, too."""
    return login_problem(HTTPNotFound, "there is no user with this login")


def login_problem(exception: type[HTTPException], description: str) -> HTTPException:
    """An exception to raise about the login in the body."""
    return problem(exception, FieldError("body", "login", description))


@member.get(context=resources.Member, permission=Permission.MEMBER_READ)
def read_member(request: Request) -> Json | Response:
    """One member."""
    record = request.context.record
    return not_modified(request, record.etag) or shown(request, record, represent(request, record))


@member.patch(
    context=resources.Member,
    permission=Permission.MEMBER_UPDATE,
    schema=MemberRoleBody.for_patch(),
    validators=(json_body,),
)
def update_member(request: Request) -> Json:
    """Change the role; a lower one revokes the member's tokens that it does not allow."""
    record, fields = request.context.record, request.validated
    revision = expected_revision(request, record)
    if fields:
        changed = membership.change_role(request.db, record, fields["role"], revision)
        record = written(changed, revision)
    return shown(request, record, represent(request, record))


@member.delete(context=resources.Member, permission=Permission.MEMBER_DELETE)
def delete_member(request: Request) -> Response:
    """End the membership, by the owner or the member, and revoke the member's tokens."""
    record = request.context.record
    revision = expected_revision(request, record)
    written(membership.end(request.db, record, revision), revision)
    return no_content()
