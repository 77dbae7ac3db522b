"""The security policy: who is asking, from which token, and what their ACLs allow."""

from dataclasses import dataclass
from typing import Any

from pyramid.authorization import ACLHelper, Authenticated, Everyone
from pyramid.config import Configurator
from pyramid.request import Request

from . import clock
from .codec import LoginClaims
from .models import access
from .models.meta import parse_id
from .models.project import ProjectRecord
from .models.target import TargetRecord
from .models.token import TokenRecord
from .telemetry import trace

# Principals, as the ACLs in `resources` name them.
ANY_USER = "kind:user"
ANY_APP = "kind:project"


def user_principal(user_id: int) -> str:
    """The holder of that user's login token."""
    return f"user:{user_id}"


def app_principal(project_id: int, access: str) -> str:
    """The holder of a token of that project with that access: ``read`` or ``write``."""
    return f"project:{project_id}:{access}"


@dataclass(slots=True)
class Identity:
    """Who is asking; and, read along with that, the live rows that the path names."""

    userid: str
    principals: tuple[str, ...]
    user_id: int | None = None
    project: ProjectRecord | None = None
    token: TokenRecord | None = None
    target: TargetRecord | None = None
    # Read along with the target where the view needs it.
    image: bytes | None = None


def bearer_token(request: Request) -> str | None:
    """The token of a ``Bearer`` header, its scheme in any case of letters (RFC 9110, 11.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def path_id(request: Request, name: str) -> int | None:
    """The id that the path gives for a name of its route; None where it gives none."""
    text = (request.matchdict or {}).get(name)
    return parse_id(text) if text is not None else None


def identify(request: Request) -> Identity | None:
    """The identity behind a request's token; None without a token that is good now."""
    identity = look_up(request)
    if identity is not None:
        trace.current.get().caller = identity.userid
    return identity


def look_up(request: Request) -> Identity | None:
    """What `identify` notes for the log."""
    text = bearer_token(request)
    claims = request.registry.codec.read(request, text) if text else None
    if claims is None:
        return None
    if isinstance(claims, LoginClaims):
        user = access.by_login(
            request.db,
            claims.user_id,
            claims.password_version,
            path_id(request, "project_id"),
            path_id(request, "token_id"),
        )
        return user and Identity(
            userid := user_principal(user.user_id),
            (Everyone, Authenticated, ANY_USER, userid),
            user_id=user.user_id,
            project=user.project,
            token=user.token,
        )
    app = access.by_project_token(
        request.db,
        claims.jti,
        claims.project_id,
        path_id(request, "target_id"),
        clock.now(),
        with_image=wants_image(request),
    )
    return app and Identity(
        f"token:{app.token_id}",
        (Everyone, Authenticated, ANY_APP, app_principal(app.project.id, app.access)),
        project=app.project,
        target=app.target,
        image=app.image,
    )


def wants_image(request: Request) -> bool:
    """Whether the whole image will be read: not if the client may have it, or wants a part."""
    service, headers = request.current_service, request.headers
    return (
        service is not None
        and service.image_ahead
        and request.method == "GET"
        and "If-None-Match" not in headers
        and "Range" not in headers
    )


class SecurityPolicy:
    """Pyramid's ISecurityPolicy over `identify` and the resources' ACLs."""

    def __init__(self) -> None:
        self._acls = ACLHelper()

    def identity(self, request: Request) -> Identity | None:
        """The caller; looked up once a request."""
        identity: Identity | None = request.caller
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
        """Tokens are kept by the client: there is nothing to remember."""
        return []

    def forget(self, *_: object, **__: object) -> list[tuple[str, str]]:
        """As for `remember`."""
        return []


def includeme(config: Configurator) -> None:
    """Install the policy. A view that names no permission is shut to everyone."""
    config.add_request_method(identify, "caller", reify=True)
    config.set_security_policy(SecurityPolicy())
    config.set_default_permission("nobody")
