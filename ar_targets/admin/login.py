"""``/admin/login/`` and ``/admin/logout/``."""

from typing import Any

import flask

from ..auth.login import LoginRefused, TooManyFailures, authenticate
from ..schemas.login import LoginBody
from . import authentication, context
from .form import Refusal, field, load
from .page import Page, done, go, path


class LoginPage(Page):
    """Login and logout, by the same rules as the API's login."""

    def is_accessible(self) -> bool:
        """Always: the page needs no session."""
        return True

    @path("/")
    def index(self) -> Any:
        """Render the login form."""
        if flask.g.viewer is not None:
            return go("admin.index")
        return self.render("login.html", wrong={}, login="")

    @path("/", "POST")
    def enter(self) -> Any:
        """Check login and password, and begin a session."""
        try:
            log_in(field("login"), field("password"))
        except Refusal as refused:
            page = self.render("login.html", wrong=refused.wrong, login=field("login"))
            return page, refused.status, retry_after(refused)
        return flask.redirect(safe_target(flask.request.args.get("next", "")), 303)

    @path("/out/", "POST")
    def leave(self) -> Any:
        """End the session, and make the browser clear its cache of images."""
        authentication.end()
        done("You are logged out.")
        response = go(".index")
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


class Throttled(Refusal):
    """Too many failed logins; ``wait`` is the seconds until the next attempt."""

    def __init__(self, wait: int, text: str, name: str = "") -> None:
        super().__init__(429, {name: text})
        self.wait = wait


def log_in(login: str, password: str) -> None:
    """Check the credentials and begin a session. Raises Refusal (400, 401 or 429)."""
    request = context.request()
    fields = load(LoginBody(), {"login": login, "password": password})
    try:
        found = authenticate(request, fields["login"], fields["password"], "admin")
    except TooManyFailures as error:
        raise Throttled(error.wait, str(error)) from None
    except LoginRefused as error:
        raise Refusal(401, {"": str(error)}) from None
    authentication.begin(found.id, found.password_version)


def retry_after(refused: Refusal) -> dict[str, str]:
    """The ``Retry-After`` header of a 429; none for other statuses."""
    return {"Retry-After": str(refused.wait)} if isinstance(refused, Throttled) else {}


def safe_target(path: str) -> str:
    """The URL to redirect to after the login: a path of the panel, to prevent open redirects."""
    home = flask.url_for("admin.index")
    inside = path.startswith(home) and "\\" not in path and "//" not in path.partition("?")[0]
    # A line break would end the header.
    return path if inside and path.isprintable() else home
