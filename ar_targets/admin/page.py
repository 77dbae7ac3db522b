"""Plain pages' base class, redirects, messages and error pages."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import flask
import flask_admin
import flask_admin.actions
from flask import Flask, g
from flask_admin.menu import MenuView
from werkzeug.exceptions import HTTPException, NotFound

from ..errors import REASONS, FieldError, error_body
from ..version import VERSION
from . import context
from .authentication import wants_json
from .role import Role
from .template_filters import short

Record = TypeVar("Record")
View = TypeVar("View", bound=Callable[..., Any])
# The category of a message with a button that takes the change back.
UNDO = "undo"
# Maximum characters of a message, and maximum bytes, as JSON, of all messages of a request but for
# the first: the session's cookie has them, and browsers ignore one of more than 4,096 bytes.
MESSAGE_MAX, MESSAGES_SIZE = 400, 1_400


class Page(flask_admin.BaseView):  # type: ignore[misc]
    """An entry of the menu, and the views below its URL."""

    def is_accessible(self) -> bool:
        """Whether somebody is logged in; `authentication` has redirected all others."""
        return g.get("viewer") is not None

    def is_visible(self) -> bool:
        """Whether the menu has it: where it has an icon."""
        return bool(self.menu_icon_value)


def path(url: str, *methods: str) -> Callable[[View], View]:
    """Flask-Admin's ``expose`` with types: the URL of a view, and its methods (default: GET)."""
    return cast("Callable[[View], View]", flask_admin.expose(url, methods or ("GET",)))


def action(name: str, label: str, confirmation: str | None = None) -> Callable[[View], View]:
    """Flask-Admin's ``action`` with types: an action on the rows that are ticked in a list."""
    return cast("Callable[[View], View]", flask_admin.actions.action(name, label, confirmation))


def found(record: Record | None) -> Record:
    """The record; raises NotFound (404) if it is None."""
    if record is None:
        raise NotFound
    return record


def done(message: str) -> None:
    """Flash a success message."""
    say(message, "success")


def failed(message: str) -> None:
    """Flash an error message."""
    say(message, "danger")


def say(message: str, category: str) -> None:
    """Flash a message, cut short, as far as the cookie has room for those of this request."""
    text, said = short(message, MESSAGE_MAX), g.get("messages_size", 0)
    size = said + len(json.dumps([category, text]))
    if size <= MESSAGES_SIZE or not said:
        g.messages_size = size
        flask.flash(text, category)
    elif "more_messages" not in g:
        g.more_messages = True
        flask.flash("And more: there is more to say than fits here.", "danger")


def undoable(message: str, noun: str, ids: Sequence[int]) -> None:
    """Flash a success message about a deletion, with a button that restores the rows."""
    text = short(message, MESSAGE_MAX)
    flask.flash({"text": text, "noun": noun, "ids": list(ids)}, UNDO)  # type: ignore[arg-type]


def go(endpoint: str, **values: Any) -> Any:
    """Redirect (303) to another page after a POST."""
    return flask.redirect(flask.url_for(endpoint, **values), 303)


def error_page(status: int, reasons: Sequence[str]) -> str:
    """Render an error page. It does not use the database, which may be unavailable."""
    return flask.render_template("error.html", status=status, reasons=reasons)


def http_error(error: HTTPException) -> Any:
    """Flask's error handler for unknown paths, wrong methods and invalid CSRF tokens."""
    status = error.code or 500
    reason = REASONS[status].description if status in (404, 405) else str(error.description)
    if status == 403:
        reason = "you may not open this page"
    # Only Allow is kept: the other headers describe Werkzeug's own body.
    headers = [(name, text) for name, text in error.get_headers() if name == "Allow"]
    if wants_json():
        response = flask.Response(error_body([FieldError("", "", reason)]), status, headers)
        response.content_type = "application/json"
        return response
    return error_page(status, [reason]), status, headers


def menu() -> list[MenuView]:
    """The pages in the menu of the viewer."""
    (admin,) = flask.current_app.extensions["admin"]
    return [item for item in admin.menu() if item.is_visible() and item.is_accessible()]


def install(app: Flask, checksums: dict[str, str]) -> None:
    """Register the template globals and the error handler."""

    def asset(name: str) -> str:
        return flask.url_for("static", filename=name, v=checksums[name])

    app.jinja_env.globals.update(
        asset=asset, menu=menu, version=VERSION, Role=Role, jwt=context.jwt
    )
    app.register_error_handler(HTTPException, http_error)
