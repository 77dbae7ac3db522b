"""The pages' base class, redirects, flash messages and error pages."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import flask
import flask_admin
from flask import Flask, g
from flask_admin.menu import MenuView
from werkzeug.exceptions import HTTPException, NotFound

from ..errors import REASONS, FieldError, error_body
from ..version import VERSION
from .authentication import wants_json

Record = TypeVar("Record")
View = TypeVar("View", bound=Callable[..., Any])


class Page(flask_admin.BaseView):  # type: ignore[misc]
    """An entry of the menu, and the views below its URL."""

    def is_accessible(self) -> bool:
        """Whether the user is an administrator; `authentication` has redirected all others."""
        return g.get("administrator") is not None

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the view; Flask-Admin's own method calls it again after any TypeError."""
        return fn(self, *args, **kwargs)


def path(url: str, *methods: str) -> Callable[[View], View]:
    """Flask-Admin's ``expose`` with types: the URL of a view, and its methods (default: GET)."""
    return cast("Callable[[View], View]", flask_admin.expose(url, methods or ("GET",)))


def found(record: Record | None) -> Record:
    """The record; raises NotFound (404) if it is None."""
    if record is None:
        raise NotFound
    return record


def done(message: str) -> None:
    """Flash a success message."""
    flask.flash(message, "success")


def failed(message: str) -> None:
    """Flash an error message."""
    flask.flash(message, "danger")


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
    # Only Allow is kept: the other headers describe Werkzeug's own body.
    headers = [(name, text) for name, text in error.get_headers() if name == "Allow"]
    if wants_json():
        response = flask.Response(error_body([FieldError("", "", reason)]), status, headers)
        response.content_type = "application/json"
        return response
    return error_page(status, [reason]), status, headers


def menu() -> list[MenuView]:
    """The pages in the menu: those that have an icon."""
    (admin,) = flask.current_app.extensions["admin"]
    return [item for item in admin.menu() if item.get_icon_value()]


def install(app: Flask, checksums: dict[str, str]) -> None:
    """Register the template globals and the error handler."""

    def asset(name: str) -> str:
        return flask.url_for("static", filename=name, v=checksums[name])

    app.jinja_env.globals.update(asset=asset, menu=menu, version=VERSION)
    app.register_error_handler(HTTPException, http_error)
