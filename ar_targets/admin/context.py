"""What the panel's Flask views need of the request: Pyramid's request, settings, the database.

The panel has a session of its own, which Flask-Admin's model views read with and commit: the one
exception to pyramid_tm. The models' functions work on the same connection and transaction, through
`db` and `write`. Only login and one-time links use ``request.db``, as the API does.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import flask
from flask import Flask
from pyramid.request import Request
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from ..db.session import Database, Principal, principal_of, writes
from ..models.limit import Limits
from ..models.token import Token
from ..settings import Settings
from ..vision_client import VisionClient

Result = TypeVar("Result")

# The key in the WSGI environment under which Flask finds Pyramid's request.
REQUEST = "ar_targets.request"

# One session a thread, and so one a request: it ends with the request.
sessions: scoped_session[Session] = scoped_session(
    sessionmaker(autoflush=False, expire_on_commit=False)
)


def request() -> Request:
    """The Pyramid request that Flask is handling."""
    return flask.request.environ[REQUEST]


def settings() -> Settings:
    """The application's settings."""
    return cast("Settings", request().registry.ar_settings)


def limits() -> Limits:
    """The limits of users and projects."""
    return cast("Limits", request().registry.limits)


def vision() -> VisionClient:
    """The client of the server that examines pictures."""
    return cast("VisionClient", request().registry.vision)


def jwt(token: Token) -> str:
    """The JWT of a project token, as an app sends it."""
    return cast("str", request().registry.codec.project_token(token))


def begin_session() -> None:
    """Before each request: a session on the engine for its method, which connects when it reads."""
    sessions.remove()
    registry = request().registry
    sessions(bind=registry.engine if writes(request()) else registry.read_engine)


def end_session(_error: BaseException | None = None) -> None:
    """After each request: roll back what is not committed, and return the connection."""
    sessions.remove()


def db() -> Database:
    """The session's connection, for the functions of the models; `write` commits."""
    audited = settings().audit_days > 0
    return Database(sessions.connection, lambda _: None, principal if audited else None)


def principal() -> Principal:
    """Who makes the changes of this request, for the audit trail."""
    return principal_of(request(), "admin")._replace(name=flask.g.viewer.principal)


def write(work: Callable[[Database], Result]) -> Result:
    """The result of a change, once it is committed; an exception rolls it back.

    pyramid_retry repeats the request after a deadlock, as for the API.
    """
    try:
        result = work(db())
        sessions.commit()
    except BaseException:
        # Messages and forms still show the rows that were read; a rollback would empty them.
        sessions.expunge_all()
        sessions.rollback()
        raise
    return result


def release() -> None:
    """Return the connection to the pool, before work that takes long or needs one of its own."""
    sessions.close()


def install(app: Flask) -> None:
    """Begin and end a session with each request."""
    app.before_request(begin_session)
    app.teardown_request(cast("Any", end_session))
