"""``/api/login``: a login and password for a user token."""

from datetime import timedelta

from pyramid.httpexceptions import HTTPTooManyRequests, HTTPUnauthorized
from pyramid.request import Request

from .. import resources
from ..auth.login import LoginRefused, TooManyFailures, authenticate
from ..clock import rfc3339
from ..errors import FieldError, problem
from ..http.body import json_body
from ..http.representation import Json
from ..http.service import service
from ..permissions import Permission
from ..schemas.login import LoginBody

login = service("login", "/login")


@login.post(
    context=resources.Login,
    permission=Permission.LOGIN_CREATE,
    schema=LoginBody(),
    validators=(json_body,),
)
def create_login(request: Request) -> Json:
    """A user token."""
    try:
        user = authenticate(request, request.validated["login"], request.validated["password"])
    except TooManyFailures as error:
        raise problem(
            HTTPTooManyRequests,
            FieldError("body", "login", str(error)),
            headers={"Retry-After": str(error.wait)},
        ) from None
    except LoginRefused as error:
        raise problem(HTTPUnauthorized, FieldError("body", "", str(error))) from None
    lifetime = timedelta(seconds=request.registry.ar_settings.login_token_ttl)
    token, expires_at = request.registry.codec.login_token(user.id, user.password_version, lifetime)
    request.response.headers["Cache-Control"] = "no-store"
    return {"token": token, "token_type": "Bearer", "expires_at": rfc3339(expires_at)}
