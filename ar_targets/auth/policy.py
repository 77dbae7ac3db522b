"""The security policy: the caller's identity, from its token, and what the ACLs permit."""

from dataclasses import dataclass, field
from typing import Any

from pyramid.authorization import ACLHelper, Authenticated, Everyone
from pyramid.config import Configurator
from pyramid.request import Request

from .. import clock
from ..db.base import parse_id
from ..models import lookup
from ..models.project import ProjectRecord
from ..models.target import TargetRecord
from ..models.token import TokenRecord
from ..telemetry import request_context
from .jwt_codec import LoginClaims, ProjectClaims

# Principals, as the ACLs in `resources` name them.
ANY_USER = "kind:user"
ANY_APP = "kind:project"
# Routes whose GET response contains large columns of the target in the path.
LARGE_COLUMNS = {"target": ("image", "metadata"), "target_image": ("image",)}


def user_principal(user_id: int) -> str:
    """The principal of the holder of that user's login token."""
    return f"user:{user_id}"


def app_principal(project_id: int, access: str) -> str:
    """The principal of a holder of a project token with that access: ``read`` or ``write``."""
    return f"project:{project_id}:{access}"


def role_principal(project_id: int, role: str) -> str:
    """The principal of a member of a project with that role, who has a login token."""
    return f"member:{project_id}:{role}"


def member_principal(project_id: int, user_id: int) -> str:
    """The principal of the user of that id while a member of the project."""
    return f"member:{project_id}:user:{user_id}"


@dataclass(frozen=True, slots=True)
class Identity:
    """The authenticated caller. ``user_id`` is None for a project token."""

    userid: str
    principals: tuple[str, ...]
    user_id: int | None = None


@dataclass(slots=True)
class Lookup:
    """Result of the statement that authenticates a caller: the identity, and rows of the path."""

    identity: Identity | None = None
    # The caller's role, where it is a member of the project.
    role: str | None = None
    project: ProjectRecord | None = None
    token: TokenRecord | None = None
    target: TargetRecord | None = None
    # The target's `large_columns`, by name.
    large: dict[str, Any] = field(default_factory=dict)


def bearer_token(request: Request) -> str | None:
    """The token of a ``Bearer`` header; the scheme is case-insensitive (RFC 9110, 11.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def path_id(request: Request, name: str) -> int | None:
    """The id in the route's ``matchdict`` by that name; None where it is missing or invalid."""
    text = (request.matchdict or {}).get(name)
    return parse_id(text) if text is not None else None


def look_up(request: Request) -> Lookup:
    """``request.lookup``: authenticate the caller; an empty `Lookup` without a valid token."""
    text = bearer_token(request)
    claims = request.registry.codec.read(request, text) if text else None
    if claims is None:
        return Lookup()
    if isinstance(claims, LoginClaims):
        found = look_up_user(request, claims)
    else:
        found = look_up_app(request, claims)
    if found.identity is not None:
        request_context.current.get().caller = found.identity.userid
    return found


def look_up_user(request: Request, claims: LoginClaims) -> Lookup:
    """The lookup for a login token."""
    found = lookup.by_login(
        request.db,
        claims.user_id,
        claims.password_version,
        path_id(request, "project_id"),
        path_id(request, "token_id"),
    )
    if found is None:
        return Lookup()
    userid = user_principal(found.user_id)
    principals: tuple[str, ...] = (Everyone, Authenticated, ANY_USER, userid)
    if found.project is not None and found.role is not None:
        principals += (
            role_principal(found.project.id, found.role),
            member_principal(found.project.id, found.user_id),
        )
    identity = Identity(userid, principals, found.user_id)
    return Lookup(identity, role=found.role, project=found.project, token=found.token)


def look_up_app(request: Request, claims: ProjectClaims) -> Lookup:
    """The lookup for a project token."""
    found = lookup.by_project_token(
        request.db,
        claims.jti,
        claims.project_id,
        path_id(request, "target_id"),
        clock.now(),
        large_columns(request),
    )
    if found is None:
        return Lookup()
    principal = app_principal(found.project.id, found.access)
    identity = Identity(f"token:{found.token_id}", (Everyone, Authenticated, ANY_APP, principal))
    return Lookup(identity, project=found.project, target=found.target, large=found.large or {})


def large_columns(request: Request) -> tuple[str, ...]:
    """The large columns that the response needs: none for conditional or range requests."""
    route, headers = request.matched_route, request.headers
    # Pyramid add-ons may ask for the identity where no route has matched.
    if route is None or request.method != "GET":
        return ()
    if "If-None-Match" in headers or "Range" in headers:
        return ()
    return LARGE_COLUMNS.get(route.name, ())


class SecurityPolicy:
    """Pyramid's ISecurityPolicy over `look_up` and the resources' ACLs."""

    def __init__(self) -> None:
        self._acls = ACLHelper()

    def identity(self, request: Request) -> Identity | None:
        """The caller; looked up once per request."""
        identity: Identity | None = request.lookup.identity
        return identity

    def authenticated_userid(self, request: Request) -> str | None:
        """A short name for the caller, ``user:<id>`` or ``token:<id>``."""
        identity = self.identity(request)
        return identity.userid if identity else None

    def permits(self, request: Request, context: object, permission: str) -> Any:
        """Whether the ACLs from the context up to the root allow it."""
        identity = self.identity(request)
        principals = identity.principals if identity else (Everyone,)
        return self._acls.permits(context, principals, permission)

    def remember(self, *_: object, **__: object) -> list[tuple[str, str]]:
        """No headers: clients keep their tokens themselves."""
        return []

    def forget(self, *_: object, **__: object) -> list[tuple[str, str]]:
        """No headers, as for `remember`."""
        return []


def includeme(config: Configurator) -> None:
    """Install the policy. A view without a permission is denied to everyone."""
    config.add_request_method(look_up, "lookup", reify=True)
    config.set_security_policy(SecurityPolicy())
    config.set_default_permission("nobody")
