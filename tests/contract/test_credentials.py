"""Every endpoint, method and kind of credential, in one table."""

import re

import pytest

from ..actors import PASSWORD, Actor
from ..conftest import build
from ..pictures import base64_of, drawn

# Who calls:
#   none     without credentials          write    the project's token
#   garbage  with what is no token        read     the project's read token
#   expired  the owner's token, expired   foreign  a token of another project
#   owner    the owner of everything      revoked  a token of the project, revoked
#   other    another user
#   admin    an administrator
TABLE = """
endpoint                           none garbage expired owner other admin write read foreign revoked

POST   /api/login                    200   401     401    200   200   200   403   403   403     401

GET    /api/project                  401   401     401    200   200   200   403   403   403     401
HEAD   /api/project                  401   401     401    200   200   200   403   403   403     401
POST   /api/project                  401   401     401    201   201   201   403   403   403     401
GET    /api/project/P                401   401     401    200   403   403   403   403   403     401
HEAD   /api/project/P                401   401     401    200   403   403   403   403   403     401
PUT    /api/project/P                401   401     401    200   403   403   403   403   403     401
PATCH  /api/project/P                401   401     401    200   403   403   403   403   403     401
DELETE /api/project/P                401   401     401    204   403   403   403   403   403     401

GET    /api/project/P/jwt            401   401     401    200   403   403   403   403   403     401
HEAD   /api/project/P/jwt            401   401     401    200   403   403   403   403   403     401
POST   /api/project/P/jwt            401   401     401    201   403   403   403   403   403     401
GET    /api/project/P/jwt/J          401   401     401    200   403   403   403   403   403     401
HEAD   /api/project/P/jwt/J          401   401     401    200   403   403   403   403   403     401
PUT    /api/project/P/jwt/J          401   401     401    200   403   403   403   403   403     401
PATCH  /api/project/P/jwt/J          401   401     401    200   403   403   403   403   403     401
DELETE /api/project/P/jwt/J          401   401     401    204   403   403   403   403   403     401

GET    /api/project/P/imagetarget    401   401     401    403   403   403   200   200   403     401
HEAD   /api/project/P/imagetarget    401   401     401    403   403   403   200   200   403     401
POST   /api/project/P/imagetarget    401   401     401    403   403   403   201   403   403     401
GET    /api/project/P/imagetarget/T  401   401     401    403   403   403   200   200   403     401
HEAD   /api/project/P/imagetarget/T  401   401     401    403   403   403   200   200   403     401
PUT    /api/project/P/imagetarget/T  401   401     401    403   403   403   200   403   403     401
PATCH  /api/project/P/imagetarget/T  401   401     401    403   403   403   200   403   403     401
DELETE /api/project/P/imagetarget/T  401   401     401    403   403   403   204   403   403     401
GET    /api/project/P/imagetarget/T/image 401 401  401    403   403   403   200   200   403     401
HEAD   /api/project/P/imagetarget/T/image 401 401  401    403   403   403   200   200   403     401

GET    /health/live                  200   200     200    200   200   200   200   200   200     200
HEAD   /health/live                  200   200     200    200   200   200   200   200   200     200
GET    /health/ready                 200   200     200    200   200   200   200   200   200     200
HEAD   /health/ready                 200   200     200    200   200   200   200   200   200     200
GET    /metrics                      200   200     200    200   200   200   200   200   200     200
HEAD   /metrics                      200   200     200    200   200   200   200   200   200     200

GET    /api/openapi.json             200   200     200    200   200   200   200   200   200     200
HEAD   /api/openapi.json             200   200     200    200   200   200   200   200   200     200
GET    /api/docs                     200   200     200    200   200   200   200   200   200     200
HEAD   /api/docs                     200   200     200    200   200   200   200   200   200     200
GET    /api/docs/docs.js             200   200     200    200   200   200   200   200   200     200
HEAD   /api/docs/docs.js             200   200     200    200   200   200   200   200   200     200
"""

OPEN_TABLE = """
user_access = open                 none garbage expired owner other admin write read foreign revoked

GET    /api/user                     200   401     401    200   200   200   403   403   403     401
HEAD   /api/user                     200   401     401    200   200   200   403   403   403     401
POST   /api/user                     201   401     401    201   201   201   403   403   403     401
GET    /api/user/U                   200   401     401    200   200   200   403   403   403     401
HEAD   /api/user/U                   200   401     401    200   200   200   403   403   403     401
PUT    /api/user/U                   200   401     401    200   200   200   403   403   403     401
PATCH  /api/user/U                   200   401     401    200   200   200   403   403   403     401
DELETE /api/user/U                   204   401     401    204   204   204   403   403   403     401
GET    /api/user/A                   404   401     401    404   404   200   404   404   404     401
HEAD   /api/user/A                   404   401     401    404   404   200   404   404   404     401
PUT    /api/user/A                   403   401     401    403   403   403   403   403   403     401
PATCH  /api/user/A                   403   401     401    403   403   403   403   403   403     401
DELETE /api/user/A                   403   401     401    403   403   403   403   403   403     401
"""

SELF_TABLE = """
user_access = self                 none garbage expired owner other admin write read foreign revoked

GET    /api/user                     401   401     401    200   200   200   403   403   403     401
HEAD   /api/user                     401   401     401    200   200   200   403   403   403     401
POST   /api/user                     201   401     401    201   201   201   403   403   403     401
GET    /api/user/U                   401   401     401    200   403   403   403   403   403     401
HEAD   /api/user/U                   401   401     401    200   403   403   403   403   403     401
PUT    /api/user/U                   401   401     401    200   403   403   403   403   403     401
PATCH  /api/user/U                   401   401     401    200   403   403   403   403   403     401
DELETE /api/user/U                   401   401     401    204   403   403   403   403   403     401
GET    /api/user/A                   401   401     401    404   404   200   404   404   404     401
HEAD   /api/user/A                   401   401     401    404   404   200   404   404   404     401
PUT    /api/user/A                   401   401     401    403   403   403   403   403   403     401
PATCH  /api/user/A                   401   401     401    403   403   403   403   403   403     401
DELETE /api/user/A                   401   401     401    403   403   403   403   403   403     401
"""

# The letters in the tables' paths, and the fixtures whose ids take their place.
NAMED = {"P": "project", "J": "write_token", "T": "target", "U": "owner", "A": "administrator"}
NAME, TTL, IMAGE = {"name": "Park"}, {"ttl": 60}, {"image": base64_of(drawn())}
NEW_USER = {"login": "nora", "password": PASSWORD}
BODIES = {
    ("POST", "/api/login"): {"login": "olga", "password": PASSWORD},
    ("POST", "/api/user"): NEW_USER,
    ("PUT", "/api/user/U"): NEW_USER,
    ("PATCH", "/api/user/U"): {"login": "nora"},
    ("PUT", "/api/user/A"): NEW_USER,
    ("PATCH", "/api/user/A"): {"login": "nora"},
    ("POST", "/api/project"): NAME,
    ("PUT", "/api/project/P"): NAME,
    ("PATCH", "/api/project/P"): NAME,
    ("POST", "/api/project/P/jwt"): TTL,
    ("PUT", "/api/project/P/jwt/J"): TTL,
    ("PATCH", "/api/project/P/jwt/J"): TTL,
    ("POST", "/api/project/P/imagetarget"): IMAGE,
    ("PUT", "/api/project/P/imagetarget/T"): IMAGE,
    ("PATCH", "/api/project/P/imagetarget/T"): {"description": "new"},
}


def rows(table):
    """(method, path, {caller: status}) of each line."""
    heading, *lines = filter(None, table.splitlines())
    callers = heading.split()[-10:]
    for line in lines:
        method, path, *statuses = line.split()
        yield method, path, dict(zip(callers, map(int, statuses), strict=True))


def cells(table):
    """A test for each cell."""
    return [
        pytest.param(method, path, caller, status, id=f"{method} {path} {caller}")
        for method, path, statuses in rows(table)
        for caller, status in statuses.items()
    ]


@pytest.fixture
def ask(request, stage, owner):
    """Call an endpoint of the tables as somebody, and expect a status.

    Only what a cell speaks of is made.
    """
    get = request.getfixturevalue
    callers = {
        "none": lambda: None,
        "garbage": lambda: Actor("garbage"),
        "expired": lambda: Actor(stage.login_token(owner.id, seconds=-1)),
        "owner": lambda: owner,
        "other": lambda: get("stranger"),
        "admin": lambda: get("administrator"),
        "write": lambda: get("write_token"),
        "read": lambda: get("read_token"),
        "foreign": lambda: get("other_token"),
        "revoked": lambda: get("revoked_token"),
    }

    def call(app, method, path, caller, status):
        real = re.sub(r"(?<=/)[PJTUA](?=/|$)", lambda letter: str(get(NAMED[letter[0]]).id), path)
        body = BODIES.get((method, path))
        return app.call(method, real, body, who=callers[caller](), status=status)

    return call


@pytest.fixture
def revoked_token(stage, project):
    token = stage.app(project)
    stage.revoke(token)
    return token


@pytest.mark.parametrize(("method", "path", "caller", "status"), cells(TABLE))
def test_credentials(app, ask, method, path, caller, status):
    ask(app, method, path, caller, status)


@pytest.mark.parametrize(("method", "path", "caller", "status"), cells(OPEN_TABLE))
def test_users_open_to_all(app, ask, method, path, caller, status):
    ask(app, method, path, caller, status)


@pytest.fixture(scope="module")
def app_for_oneself(database_url):
    client = build(database_url, user_access="self")
    yield client
    client.registry.engine.dispose()


@pytest.mark.parametrize(("method", "path", "caller", "status"), cells(SELF_TABLE))
def test_users_for_themselves_alone(app_for_oneself, ask, method, path, caller, status):
    ask(app_for_oneself, method, path, caller, status)


@pytest.mark.parametrize("mode", [OPEN_TABLE, SELF_TABLE], ids=["open", "self"])
def test_no_endpoint_is_missing_in_the_tables(app, mode):
    tabled = {
        (method, re.sub(r"/([PJTUA]|docs\.js)(?=/|$)", "/{}", path))
        for table in (TABLE, mode)
        for method, path, _ in rows(table)
    }
    served = {
        (method, re.sub(r"{.*?}(?=/|$)", "{}", service.path))
        for service in app.registry.cornice_services.values()
        for method in service.defined_methods
    }
    assert served - tabled == set()
    assert tabled - served == set()
