"""Who may in: sessions, and the headers of every response of the panel.

The cookie is signed, and holds the secret of a row (`models.admin_session`)
that is looked up with each request: a logout, a new password or the end of
being an administrator ends it at once. The cookie's own age is the time
without a request.
"""

from datetime import timedelta
from typing import Any

import flask
from flask import Flask, g
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from .. import clock
from ..auth.policy import user_principal
from ..db.session import principal_of
from ..models import admin_session
from ..models.admin_session import Administrator
from ..telemetry import request_context
from . import context

# However busy somebody is, the password is asked for again after that.
LONGEST = timedelta(hours=12)
HOME = "/admin/"
SECRET = "secret"  # noqa: S105  # the name of a field
# What needs no administrator: the login, and what its page is made of.
OPEN = {"static", "login.index", "login.enter"}
# Bytes of a form without a file.
FORM_LIMIT = 2**20
# Forms with files: the proxy has its own limit, and each file is measured as it is read.
UPLOADS = {"target.upload", "target.replace"}
# What a page shows: asked for beside it, and answered in any order.
PICTURES = {"target.image", "target.thumbnail"}

# Nothing from anywhere else, and nothing that is written into a page.
SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # Pictures that are about to be uploaded are shown from memory.
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
    """Flask's signed cookie; for https alone, where it came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """The ``Secure`` attribute. Of TLS in front, the proxy tells that is believed."""
        return flask.request.is_secure

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Whether the answer brings the cookie: with pages, which makes the session last.

        A picture may be answered after a form that was sent later: its cookie would take
        back the message that the form's holds.
        """
        return flask.request.endpoint not in PICTURES and super().should_set_cookie(app, session)


def install(app: Flask) -> None:
    """Stand in front of every request, and behind every response."""
    app.before_request(check)
    app.after_request(write_headers)


def check() -> Any:
    """Let administrators pass; send all others to the login, and back here afterwards."""
    request = flask.request
    request.max_content_length = None if request.endpoint in UPLOADS else FORM_LIMIT
    g.administrator = None
    # The cookie is for what is below the home: without its slash, only the way there is told.
    if request.endpoint == "static" or request.path == HOME.rstrip("/"):
        return None
    g.administrator = administrator()
    if g.administrator is not None:
        sign(g.administrator)
    if g.administrator is not None or request.endpoint in OPEN:
        return None
    if wants_json():
        return {"status": "error", "errors": [{"description": "log in again"}]}, 401
    # What nobody may see without logging in is not told to exist.
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return flask.redirect(flask.url_for("login.index", next=back), 303)


def administrator() -> Administrator | None:
    """Who is logged in."""
    secret = flask.session.get(SECRET)
    if not isinstance(secret, str):
        return None
    return admin_session.find(context.db(), secret, clock.now())


def sign(user: Administrator) -> None:
    """Let the log know who is at work, and the audit trail by which way as well."""
    name = request_context.current.get().caller = user_principal(user.id)
    db = context.db()
    if db.principal is not None:
        principal = principal_of(context.request(), "admin")._replace(name=name)
        db.principal = lambda: principal


def begin(user_id: int, password_version: int) -> None:
    """Log in: nothing of the session before is kept, so nobody can have prepared it."""
    now = clock.now()
    secret = admin_session.create(context.db(), user_id, password_version, now + LONGEST)
    flask.session.clear()
    flask.session[SECRET] = secret
    flask.session.permanent = True


def end() -> None:
    """Log out, here and for every copy of the cookie."""
    secret = flask.session.get(SECRET)
    if isinstance(secret, str):
        admin_session.remove(context.db(), secret)
    flask.session.clear()


def wants_json() -> bool:
    """Whether a script of ours asks, rather than a person."""
    return flask.request.headers.get("Accept") == "application/json"


def write_headers(response: Any) -> Any:
    """Add what every response has; pages are kept by nobody."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
