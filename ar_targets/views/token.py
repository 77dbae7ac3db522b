"""``/api/project/<id>/jwt`` and ``/api/project/<id>/jwt/<token_id>``."""

from typing import Any

from pyramid.httpexceptions import HTTPConflict, HTTPException, HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response

from .. import resources
from ..clock import rfc3339
from ..errors import REVOKED, FieldError, problem
from ..http.body import json_body, optional_json_body
from ..http.conditional import expected_revision, not_modified, written
from ..http.idempotency import idempotent
from ..http.pagination import listing, requested_page
from ..http.representation import Json, created, found, no_content, shown
from ..http.service import PROJECT, TOKEN, service
from ..models import member as members
from ..models import project as projects
from ..models import token as tokens
from ..models.token import ACCESS, TokenRecord
from ..permissions import Permission
from ..schemas.body import Body
from ..schemas.token import TokenBody, TokenTtlBody, ttl_fault

token_list = service("token_list", f"{PROJECT}/jwt")
token = service("token", TOKEN)


def represent(request: Request, record: TokenRecord) -> Json:
    """The representation of a token, with the JWT itself."""
    return {
        "id": record.id,
        "project_id": record.project_id,
        "token": request.registry.codec.project_token(record),
        "access": record.access,
        "description": record.description,
        "ttl": record.ttl,
        "valid": record.valid,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
        "expires_at": rfc3339(record.expires_at),
        "revoked_at": rfc3339(record.revoked_at) if record.revoked_at else None,
    }


def ttl_in_range(request: Request, schema: Body, **_: Any) -> None:
    """A validator that runs after those that read the body: the ttl's limit is a setting."""
    longest = request.registry.ar_settings.project_token_max_ttl
    if wrong := ttl_fault(request.validated.get("ttl"), longest):
        request.errors.add("body", "ttl", wrong)


def access_in_role(request: Request, **_: Any) -> None:
    """A validator that runs after those: raises 403 for an access that a member's role denies."""
    if request.errors or request.context.project.member_id is None:
        return
    role = request.lookup.role
    if not members.role_allows(role, request.validated["access"]):
        raise access_denied(role)


@token_list.get(context=resources.TokenList, permission=Permission.TOKEN_LIST)
def list_tokens(request: Request) -> Json:
    """All tokens of the project, including expired and revoked ones, until they are purged.

    A member sees those of its own.
    """
    page, project = requested_page(request), request.context.project
    records = tokens.page(
        request.db, project.record.id, page.after.id, page.rows, created_by=project.member_id
    )
    return listing(request, page, records, represent)


@token_list.post(
    context=resources.TokenList,
    permission=Permission.TOKEN_CREATE,
    schema=TokenBody(),
    validators=(optional_json_body, ttl_in_range, access_in_role),
)
@idempotent
def create_token(request: Request) -> Json:
    """A new token; a member's is its own, and its role limits the access."""
    fields, settings = request.validated, request.registry.ar_settings
    project = request.context.project
    made = tokens.create(
        request.db,
        project.record.id,
        fields.get("ttl", settings.project_token_ttl),
        fields["access"],
        fields["description"],
        created_by=project.member_id,
    )
    if made is None and projects.find(request.db, project.record.id) is not None:
        # No longer a member, or one with a lower role.
        raise HTTPForbidden
    record = found(made)
    return created(request, record, represent(request, record))


def access_denied(role: str) -> HTTPException:
    """The 403 for an access that a member's role does not allow."""
    allowed = " or ".join(repr(access) for access in ACCESS if members.role_allows(role, access))
    told = f"the role of {role} allows {allowed}; ask the project's owner for another role"
    return problem(HTTPForbidden, FieldError("body", "access", told))


@token.get(context=resources.Token, permission=Permission.TOKEN_READ)
def read_token(request: Request) -> Json | Response:
    """One token."""
    record = request.context.record
    return not_modified(request, record.etag) or shown(request, record, represent(request, record))


@token.put(
    context=resources.Token,
    permission=Permission.TOKEN_UPDATE,
    schema=TokenTtlBody(),
    validators=(json_body, ttl_in_range),
)
@token.patch(
    context=resources.Token,
    permission=Permission.TOKEN_UPDATE,
    schema=TokenTtlBody.for_patch(),
    validators=(json_body, ttl_in_range),
)
def update_token(request: Request) -> Json:
    """Let the token expire ``ttl`` seconds from now; an expired one becomes valid again."""
    record, fields = request.context.record, request.validated
    revision = expected_revision(request, record)
    if fields:
        extended = tokens.extend(request.db, record, fields["ttl"], revision)
        if extended is None and is_revoked(request, record):
            raise problem(HTTPConflict, FieldError("path", "token_id", REVOKED))
        record = written(extended, revision)
    return shown(request, record, represent(request, record))


def is_revoked(request: Request, record: TokenRecord) -> bool:
    """Whether a token that could not be changed is revoked; raises 404 if it is purged."""
    current = found(tokens.find(request.db, record.project_id, record.id))
    return current.revoked_at is not None


@token.delete(context=resources.Token, permission=Permission.TOKEN_DELETE)
def revoke_token(request: Request) -> Response:
    """Revoke the token at once; idempotent."""
    record = request.context.record
    revision = expected_revision(request, record)
    if record.revoked_at is None:
        revoked = tokens.revoke(request.db, record.id, revision)
        if not revoked and not is_revoked(request, record):
            written(revoked, revision)
    return no_content()
