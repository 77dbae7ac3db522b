"""What all pages share: the frame around them, messages, and errors."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import flask
import flask_admin
from flask import Flask, g
from flask_admin.menu import MenuView
from werkzeug.exceptions import HTTPException, NotFound

from ..errors import REASONS, FieldError, error_body
from .authentication import wants_json

Record = TypeVar("Record")
View = TypeVar("View", bound=Callable[..., Any])


class Page(flask_admin.BaseView):  # type: ignore[misc]
    """A place in the menu, and the pages below it."""

    def is_accessible(self) -> bool:
        """For administrators; `authentication` has sent all others away before."""
        return g.get("administrator") is not None

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Flask-Admin would take any TypeError for a view of another kind, and call it again."""
        return fn(self, *args, **kwargs)


def path(url: str, *methods: str) -> Callable[[View], View]:
    """Flask-Admin's ``expose``, with types: where a method of a page is, for GET or these."""
    return cast("Callable[[View], View]", flask_admin.expose(url, methods or ("GET",)))


def found(record: Record | None) -> Record:
    """A record that the path names; raises 404 where there is none."""
    if record is None:
        raise NotFound
    return record


def done(message: str) -> None:
    """Say on the next page what has been done."""
    flask.flash(message, "success")


def failed(message: str) -> None:
    """Say on the next page what has been refused."""
    flask.flash(message, "danger")


def go(endpoint: str, **values: Any) -> Any:
    """Show another page after a POST."""
    return flask.redirect(flask.url_for(endpoint, **values), 303)


def error_page(status: int, reasons: Sequence[str]) -> str:
    """A page that says why; it asks nothing of the database, which may be away."""
    return flask.render_template("error.html", status=status, reasons=reasons)


def http_error(error: HTTPException) -> Any:
    """What Flask answers itself: no such path, method, or CSRF token."""
    status = error.code or 500
    reason = REASONS[status].description if status in (404, 405) else str(error.description)
    # Of these, Allow alone is not about the body that the library would send.
    headers = [(name, text) for name, text in error.get_headers() if name == "Allow"]
    if wants_json():
        response = flask.Response(error_body([FieldError("", "", reason)]), status, headers)
        response.content_type = "application/json"
        return response
    return error_page(status, [reason]), status, headers


def menu() -> list[MenuView]:
    """The pages that the menu shows."""
    (admin,) = flask.current_app.extensions["admin"]
    return [item for item in admin.menu() if item.get_icon_value()]


def install(app: Flask, checksums: dict[str, str]) -> None:
    """Give templates what they need, and errors their page."""

    def asset(name: str) -> str:
        return flask.url_for("static", filename=name, v=checksums[name])

    app.jinja_env.globals.update(asset=asset, menu=menu)
    app.register_error_handler(HTTPException, http_error)
