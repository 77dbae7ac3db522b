"""``/api/user`` and ``/api/user/<id>``."""

import logging
from typing import Any

from pyramid.httpexceptions import HTTPTooManyRequests
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..auth import passwords
from ..clock import rfc3339
from ..errors import FieldError, problem
from ..http.body import json_body
from ..http.conditional import expected_revision, not_modified, written
from ..http.pagination import listing, requested_page
from ..http.representation import Json, created, found, no_content, of_caller, shown
from ..http.service import USER, service
from ..models import soft_delete
from ..models import user as users
from ..models.user import UserRecord
from ..permissions import Permission
from ..schemas.user import UserBody

log = logging.getLogger(__name__)

user_list = service("user_list", "/user")
user = service("user", USER)


def represent(request: Request, record: UserRecord) -> Json:
    """The representation of a user, without the password and the administrator flag."""
    return {
        "id": record.id,
        "login": record.login,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
    }


def limit_changes(request: Request) -> None:
    """Apply the rate limit for changes from one address. Raises 429."""
    # Return the connection to the pool: the throttle uses one of its own.
    request.db.close()
    if wait := request.registry.throttle.change_user(request.remote_addr):
        raise problem(
            HTTPTooManyRequests,
            FieldError("", "", f"too many changes of users from here; try again in {wait} s"),
            headers={"Retry-After": str(wait)},
        )


def report(request: Request, user_id: int, what: str) -> None:
    """Log who changed a user, once it is committed, since the settings may allow it to anyone.

    The audit trail has it too, but can be turned off, and log monitoring does not read it.
    """
    who, address = request.authenticated_userid or "anyone", request.remote_addr

    def write(committed: bool) -> None:  # noqa: FBT001  # the transaction calls it so
        if committed:
            log.info("user %s was %s by %s, from %s", user_id, what, who, address)

    request.tm.get().addAfterCommitHook(write)


@user_list.get(context=resources.UserList, permission=Permission.USER_LIST)
def list_users(request: Request) -> Json:
    """All users; with ``user_access = self`` only the caller."""
    page = requested_page(request)
    if request.context.open:
        viewer = request.identity.user_id if request.identity else None
        records = users.page(request.db, viewer, page.after.id, page.rows)
        return listing(request, page, records, represent)
    caller = of_caller(users.find(request.db, request.identity.user_id))
    return listing(request, page, [caller] if caller.id > page.after.id else [], represent)


@user_list.post(
    context=resources.UserList,
    permission=Permission.USER_CREATE,
    schema=UserBody(),
    validators=(json_body,),
)
def create_user(request: Request) -> Json:
    """A new user, who is never an administrator."""
    fields = request.validated
    limit_changes(request)
    password_hash = passwords.hash_password(fields["password"])
    record = users.create(request.db, fields["login"], password_hash)
    report(request, record.id, "created")
    return created(request, record, represent(request, record))


@user.get(context=resources.User, permission=Permission.USER_READ)
def read_user(request: Request) -> Json | Response:
    """One user."""
    record = request.context.record
    return not_modified(request, record.etag) or shown(request, record, represent(request, record))


@user.put(
    context=resources.User,
    permission=Permission.USER_UPDATE,
    schema=UserBody(),
    validators=(json_body,),
)
@user.patch(
    context=resources.User,
    permission=Permission.USER_UPDATE,
    schema=UserBody.for_patch(),
    validators=(json_body,),
)
def update_user(request: Request) -> Json:
    """Set the given fields; a new password invalidates the user's tokens."""
    record, fields = request.context.record, request.validated
    revision = expected_revision(request, record)
    if fields:
        limit_changes(request)
        changes: dict[str, Any] = {"login": fields.get("login"), "spare_admins": True}
        if "password" in fields:
            changes["password_hash"] = passwords.hash_password(fields["password"])
        written(users.change(request.db, record.id, revision=revision, **changes), revision)
        report(request, record.id, f"changed ({', '.join(sorted(fields))})")
        record = found(users.find(request.db, record.id))
    return shown(request, record, represent(request, record))


@user.delete(context=resources.User, permission=Permission.USER_DELETE)
def delete_user(request: Request) -> Response:
    """Soft-delete the user and the user's projects; the login is free again."""
    record = request.context.record
    revision = expected_revision(request, record)
    limit_changes(request)
    deleted = soft_delete.delete(request.db, users.User, record.id, revision, only=users.NO_ADMIN)
    written(deleted, revision)
    report(request, record.id, "deleted")
    return no_content()
