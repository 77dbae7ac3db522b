"""Sessions of the panel, and the security headers of its responses.

The session cookie is signed, and holds the secret of a row (`models.admin_session`)
that is looked up on each request: a logout, a new password or the deletion of
the user ends the session immediately. The cookie itself expires after a period
without requests (setting ``admin_session_ttl``).
"""

import secrets
from datetime import timedelta
from typing import Any

import flask
from flask import Flask, g
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from .. import clock
from ..models import admin_session
from ..telemetry import request_context
from . import context
from .role import Viewer

# Maximum lifetime of a session, however often it is used.
LONGEST = timedelta(hours=12)
HOME = "/admin/"
SECRET = "secret"  # noqa: S105  # a key in the session
# Endpoints that need no session: the login page, one-time links and the static files.
OPEN = {"static", "login.index", "login.enter", "password_link.index", "password_link.use"}
# Arguments of the functions that make URLs, to which Flask-Admin hands on a list's parameters: one
# of these names would fail, or change the URL.
RESERVED = {"self", "endpoint", "export_type", "_anchor", "_method", "_scheme", "_external"}
# Maximum bytes of a request body without files.
FORM_LIMIT = 2**20
# Endpoints that accept files: the proxy limits the body, and `upload.proven` each file.
UPLOADS = {
    *("target.upload", "target.create_view", "target.edit_view"),
    *("check.check", "check.before_upload"),
}
# Views of what a page asks for beside itself: images, and offers while one types.
ASIDE = ("image", "thumbnail", "heatmap", "before_upload", "ajax_lookup")
# Paths below it have a secret, which no Referer may carry.
SECRET_PATH = HOME + "password/"

# Content-Security-Policy: nothing from other origins; no inline scripts or styles without the
# request's nonce, which Flask-Admin's own templates have.
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
WITH_NONCE = ("script-src", "style-src")
HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Cookies(SecureCookieSessionInterface):
    """Flask's signed session cookie; set with pages alone, ``Secure`` over HTTPS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Whether the request came over HTTPS, by its own or a trusted proxy's scheme."""
        return flask.request.is_secure

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Whether the response sets the cookie, which renews the session: with pages alone.

        An image or an offer may arrive after that to a later POST; its cookie would overwrite the
        POST's flash message.
        """
        view = (flask.request.endpoint or "").rpartition(".")[2]
        return view not in ASIDE and super().should_set_cookie(app, session)


def install(app: Flask) -> None:
    """Register the hooks that run before and after each request."""
    app.before_request(check)
    app.after_request(write_headers)


def check() -> Any:
    """Require a login; redirect others to the login page, or answer 401 to scripts."""
    request = flask.request
    request.max_content_length = None if request.endpoint in UPLOADS else FORM_LIMIT
    g.viewer = None
    if reserved := RESERVED & request.args.keys():
        flask.abort(400, f"there is no parameter {min(reserved)}")
    # The cookie's path is ``/admin/``: ``/admin`` gets no cookie, and is only redirected.
    if request.endpoint == "static" or request.path == HOME.rstrip("/"):
        return None
    g.viewer = session_user()
    if g.viewer is not None:
        # For the access log.
        request_context.current.get().caller = g.viewer.principal
    if g.viewer is not None or request.endpoint in OPEN:
        return None
    if wants_json():
        return {"status": "error", "errors": [{"description": "log in again"}]}, 401
    # Unknown paths are redirected too, so that clients without a session cannot probe for pages.
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return flask.redirect(flask.url_for("login.index", next=back), 303)


def session_user() -> Viewer | None:
    """The user of the session; None if there is no valid one."""
    secret = flask.session.get(SECRET)
    if not isinstance(secret, str):
        return None
    found = admin_session.find(context.db(), secret, clock.now())
    return Viewer(*found) if found else None


def begin(user_id: int, password_version: int) -> None:
    """Log in: begin a session. The old one is cleared, which prevents session fixation."""
    now = clock.now()
    # The login's transaction, which counts attempts and leaves an entry in the trail, too.
    secret = admin_session.create(context.request().db, user_id, password_version, now + LONGEST)
    flask.session.clear()
    flask.session[SECRET] = secret
    flask.session.permanent = True


def end() -> None:
    """Log out: delete the session's row, so that copies of the cookie are invalid too."""
    secret = flask.session.get(SECRET)
    if isinstance(secret, str):
        context.write(lambda db: admin_session.remove(db, secret))
    flask.session.clear()


def wants_json() -> bool:
    """Whether one of the panel's scripts sent the request."""
    return flask.request.headers.get("Accept") == "application/json"


def nonce() -> str:
    """The nonce of the request, for Flask-Admin's ``csp_nonce_generator``."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    made: str = g.nonce
    return made


def write_headers(response: Any) -> Any:
    """Add the security headers, and ``no-store`` where the response has no Cache-Control."""
    sources = SOURCES | {name: f"{SOURCES[name]} 'nonce-{nonce()}'" for name in WITH_NONCE}
    policy = "; ".join(f"{kind} {source}" for kind, source in sources.items())
    response.headers.setdefault("Content-Security-Policy", policy)
    if flask.request.path.startswith(SECRET_PATH):
        response.headers["Referrer-Policy"] = "no-referrer"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
