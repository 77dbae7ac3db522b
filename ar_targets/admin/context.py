"""What the panel takes from Pyramid's side of the request."""

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
    """The Pyramid request around this one."""
    return flask.request.environ[REQUEST]


def db() -> Database:
    """The request's database: what a POST writes is committed when it is answered below 400."""
    return cast("Database", request().db)


def settings() -> Settings:
    """All settings."""
    return cast("Settings", request().registry.ar_settings)


def jwt(token: TokenRecord | TokenRow) -> str:
    """The string that goes into an app."""
    return cast("str", request().registry.codec.project_token(token))
