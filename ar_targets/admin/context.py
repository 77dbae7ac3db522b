"""Access to Pyramid's request, database and settings from the panel's Flask views."""

from typing import cast

import flask
from pyramid.request import Request

from ..db.session import Database
from ..models.panel_lists import TokenRow
from ..models.token import TokenRecord
from ..settings import Settings

# The key in the WSGI environment under which Flask finds Pyramid's request.
REQUEST = "ar_targets.request"


def request() -> Request:
    """The Pyramid request that Flask is handling."""
    return flask.request.environ[REQUEST]


def db() -> Database:
    """The request's database; the transaction is committed if the status is below 400."""
    return cast("Database", request().db)


def settings() -> Settings:
    """The application's settings."""
    return cast("Settings", request().registry.ar_settings)


def jwt(token: TokenRecord | TokenRow) -> str:
    """The JWT of a project token, as an app sends it."""
    return cast("str", request().registry.codec.project_token(token))
