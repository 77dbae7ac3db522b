"""``/api/login``: a login and password for a user token."""

import logging
from datetime import timedelta

from pyramid.httpexceptions import HTTPTooManyRequests, HTTPUnauthorized
from pyramid.request import Request

from .. import passwords, resources
from ..clock import rfc3339
from ..errors import FieldError, problem
from ..models import user as users
from ..permissions import Permission
from ..schemas.login import LoginBody
from .body import json_body
from .service import service
from .single import Json

log = logging.getLogger(__name__)

login = service("login", "/login")


@login.post(
    context=resources.Login,
    permission=Permission.LOGIN_CREATE,
    schema=LoginBody(),
    validators=(json_body,),
)
def create_login(request: Request) -> Json:
    """A user token. Wrong logins and wrong passwords cannot be told apart, nor by their time."""
    name, password = request.validated["login"], request.validated["password"]
    # Read first: a database that is away is no failed login.
    user = users.credentials(request.db, name)
    # What comes now takes time, or a connection of its own.
    request.db.close()
    # WebOb's client_addr would believe any X-Forwarded-For; waitress sets this
    # one, from that header only where the ini file names the proxy.
    attempts = request.registry.throttle.attempts(name, request.remote_addr)
    if wait := attempts.begin():
        raise problem(
            HTTPTooManyRequests,
            FieldError("body", "login", f"too many failed logins; try again in {wait} s"),
            headers={"Retry-After": str(wait)},
        )
    if not passwords.matches(password, user and user.password_hash) or user is None:
        attempts.failed()
        log.info("a login failed, from %s", request.remote_addr)
        raise problem(HTTPUnauthorized, FieldError("body", "", "wrong login or password"))
    attempts.succeeded()
    if passwords.outdated(user.password_hash):
        users.rehash(request.db, user.id, user.password_hash, passwords.hash_password(password))
    lifetime = timedelta(seconds=request.registry.ar_settings.login_token_ttl)
    token, expires_at = request.registry.codec.login_token(user.id, user.password_version, lifetime)
    request.response.headers["Cache-Control"] = "no-store"
    return {"token": token, "token_type": "Bearer", "expires_at": rfc3339(expires_at)}
