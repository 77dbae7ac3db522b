"""``/admin/password/``: one-time links with which users who forgot their password set a new one.

An administrator makes the link, and hands it over: the server sends no e-mail. Whoever has it
needs no session, so that the secret in its path is the only proof: the proxy's log leaves it out
(docs/deploy/nginx), the application's log has no paths, and no Referer carries it.
"""

from typing import Any

import flask

from .. import clock
from ..auth import passwords
from ..auth.policy import user_principal
from ..db.session import set_principal
from ..models import password_link
from ..schemas.user import UserBody
from . import context
from .form import Refusal, field, load
from .login import Throttled, retry_after
from .page import Page, done, found, go, path
from .role import viewer


class PasswordLinkPage(Page):
    """The form behind a link, for anybody who has one; and new links, made by administrators."""

    def is_accessible(self) -> bool:
        """Always: whoever forgot the password has no session. Only `make` requires one."""
        return True

    # A link that a messenger has cut short, too: it is told apart from a wrong login.
    @path("/")
    @path("/<secret>")
    @path("/<secret>/")
    def index(self, secret: str = "") -> Any:
        """Render the form."""
        link = password_link.find(context.request().db, secret, clock.now())
        return self.form(secret, link, {}) if link else self.ended()

    @path("/<secret>/", "POST")
    def use(self, secret: str) -> Any:
        """Set the password, and end the link."""
        link = password_link.find(context.request().db, secret, clock.now())
        if link is None:
            return self.ended()
        try:
            used = set_password(secret, link, field("password"))
        except Refusal as refused:
            page = self.form(secret, link, refused.wrong)
            return page, refused.status, retry_after(refused)
        if not used:
            return self.ended()
        done("Your password is set. Log in with it.")
        return go("login.index")

    @path("/make/<int:user_id>/", "POST")
    def make(self, user_id: int) -> Any:
        """Make a link, which ends the user's older one, and show it this once."""
        if not viewer().is_admin:
            flask.abort(403)
        request = context.request()
        # One transaction, of ``request.db``.
        context.release()
        set_principal(request, viewer().principal, "admin")
        link = found(password_link.create(request.db, user_id, clock.now()))
        # As the administrator has reached the server.
        url = flask.url_for(".index", secret=link.secret, _external=True)
        return self.render("password_link/made.html", link=link, url=url)

    def form(self, secret: str, link: password_link.LinkRecord, wrong: dict[str, str]) -> Any:
        """The form for a new password; the messages of a refusal are shown beside its field."""
        return self.render("password_link/form.html", secret=secret, link=link, wrong=wrong)

    def ended(self) -> Any:
        """What is said of a link that is unknown, used or expired: the same for all (404)."""
        return self.render("password_link/ended.html"), 404


def set_password(secret: str, link: password_link.LinkRecord, password: str) -> bool:
    """Set the password of the link's user; False where the link has ended meanwhile.

    Raises Refusal (400 or 429).
    """
    request = context.request()
    fields = load(UserBody.for_patch(), {"password": password})
    # Return the connection to the pool: hashing takes time, and the throttle uses one of its own.
    request.db.close()
    context.release()
    if wait := request.registry.throttle.change_user(request.remote_addr):
        raise Throttled(wait, f"too many changes of users from here; try again in {wait} s")
    password_hash = passwords.hash_password(fields["password"])
    set_principal(request, user_principal(link.user_id), "admin")
    return password_link.use(request.db, secret, link, password_hash, clock.now())
