"""Sessions of the panel, and the security headers of its responses.

The session cookie is signed, and holds the secret of a row (`models.admin_session`)
that is looked up on each request: a logout, a new password or the loss of the
administrator role ends the session immediately. The cookie itself expires after
a period without requests (setting ``admin_session_ttl``).
"""

from datetime import timedelta
from typing import Any

import flask
from flask import Flask, g
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from .. import clock
from ..auth.policy import user_principal
from ..db.session import set_principal
from ..models import admin_session
from ..models.admin_session import Administrator
from ..telemetry import request_context
from . import context

# Maximum lifetime of a session, however often it is used.
LONGEST = timedelta(hours=12)
HOME = "/admin/"
SECRET = "secret"  # noqa: S105  # a key in the session
# Endpoints that need no session: the login page and the static files.
OPEN = {"static", "login.index", "login.enter"}
# Maximum bytes of a request body without files.
FORM_LIMIT = 2**20
# Endpoints that accept files: the proxy limits the body, and `target.proven` each file.
UPLOADS = {"target.upload", "target.replace"}
# Endpoints of images in a page: browsers request them in parallel.
PICTURES = {"target.image", "target.thumbnail"}

# Content-Security-Policy: nothing from other origins, no inline scripts or styles.
SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # blob: is for previews of images before their upload.
    "img-src": "'self' blob:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{kind} {source}" for kind, source in SOURCES.items()),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Cookies(SecureCookieSessionInterface):
    """Flask's signed session cookie; not set with images, ``Secure`` over HTTPS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Whether the request came over HTTPS, by its own or a trusted proxy's scheme."""
        return flask.request.is_secure

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Whether the response sets the cookie, which renews the session: not with images.

        The response with an image may arrive after that to a later POST; its cookie
        would overwrite the POST's flash message.
        """
        return flask.request.endpoint not in PICTURES and super().should_set_cookie(app, session)


def install(app: Flask) -> None:
    """Register the hooks that run before and after each request."""
    app.before_request(check)
    app.after_request(write_headers)


def check() -> Any:
    """Require an administrator; redirect others to the login page, or answer 401 to scripts."""
    request = flask.request
    request.max_content_length = None if request.endpoint in UPLOADS else FORM_LIMIT
    g.administrator = None
    # The cookie's path is ``/admin/``: ``/admin`` gets no cookie, and is only redirected.
    if request.endpoint == "static" or request.path == HOME.rstrip("/"):
        return None
    g.administrator = administrator()
    if g.administrator is not None:
        sign(g.administrator)
    if g.administrator is not None or request.endpoint in OPEN:
        return None
    if wants_json():
        return {"status": "error", "errors": [{"description": "log in again"}]}, 401
    # Unknown paths are redirected too, so that clients without a session cannot probe for pages.
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return flask.redirect(flask.url_for("login.index", next=back), 303)


def administrator() -> Administrator | None:
    """The administrator of the session; None if there is no valid one."""
    secret = flask.session.get(SECRET)
    if not isinstance(secret, str):
        return None
    return admin_session.find(context.db(), secret, clock.now())


def sign(user: Administrator) -> None:
    """Set the caller for the access log, and the principal and channel for the audit trail."""
    name = request_context.current.get().caller = user_principal(user.id)
    set_principal(context.request(), name, "admin")


def begin(user_id: int, password_version: int) -> None:
    """Log in: begin a session. The old one is cleared, which prevents session fixation."""
    now = clock.now()
    secret = admin_session.create(context.db(), user_id, password_version, now + LONGEST)
    flask.session.clear()
    flask.session[SECRET] = secret
    flask.session.permanent = True


def end() -> None:
    """Log out: delete the session's row, so that copies of the cookie are invalid too."""
    secret = flask.session.get(SECRET)
    if isinstance(secret, str):
        admin_session.remove(context.db(), secret)
    flask.session.clear()


def wants_json() -> bool:
    """Whether one of the panel's scripts sent the request."""
    return flask.request.headers.get("Accept") == "application/json"


def write_headers(response: Any) -> Any:
    """Add the security headers, and ``no-store`` where the response has no Cache-Control."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
