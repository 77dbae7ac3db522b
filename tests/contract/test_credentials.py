"""Every endpoint, method and kind of credential, in one table."""

import functools
import re

import pytest

from .. import nouns
from ..actors import Actor
from ..conftest import build
from ..nouns.test_member import MEMBER_CALLERS, MEMBER_CREDENTIALS
from ..nouns.test_user import OPEN_CREDENTIALS, SELF_CREDENTIALS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# fmt: off
CALLERS = [
    "none", "garbage", "expired", "owner", "other", "admin", "write", "read", "foreign", "revoked",
]
# fmt: on

# Who calls:
#   none     without credentials          write    the project's token
#   garbage  with what is no token        read     the project's read token
#   expired  the owner's token, expired   foreign  a token of another project
#   owner    the owner of everything      revoked  a token of the project, revoked
#   other    another user
#   admin    an administrator
TABLE = """
endpoint                none garbage expired owner other admin write read foreign revoked
POST /api/login         200    401     401    200   200   200   403  403    403     401
GET  /                  200    200     200    200   200   200   200  200    200     200
HEAD /                  200    200     200    200   200   200   200  200    200     200
GET  /api               200    200     200    200   200   200   200  200    200     200
HEAD /api               200    200     200    200   200   200   200  200    200     200
GET  /health/live       200    200     200    200   200   200   200  200    200     200
HEAD /health/live       200    200     200    200   200   200   200  200    200     200
GET  /health/ready      200    200     200    200   200   200   200  200    200     200
HEAD /health/ready      200    200     200    200   200   200   200  200    200     200
GET  /metrics           200    200     200    200   200   200   200  200    200     200
HEAD /metrics           200    200     200    200   200   200   200  200    200     200
GET  /api/openapi.json  200    200     200    200   200   200   200  200    200     200
HEAD /api/openapi.json  200    200     200    200   200   200   200  200    200     200
GET  /api/docs          200    200     200    200   200   200   200  200    200     200
HEAD /api/docs          200    200     200    200   200   200   200  200    200     200
GET  /api/docs/docs.js  200    200     200    200   200   200   200  200    200     200
HEAD /api/docs/docs.js  200    200     200    200   200   200   200  200    200     200
/api/project/{project}/analysis
POST                    401    401     401    403   403   403   200  403    403     401
/api/project/{project}/imagetarget/{analysed}/analysis
GET                     401    401     401    403   403   403   200  200    403     401
HEAD                    401    401     401    403   403   403   200  200    403     401
POST /retry             401    401     401    403   403   403   202  403    403     401
GET  /heatmap           401    401     401    403   403   403   200  200    403     401
HEAD /heatmap           401    401     401    403   403   403   200  200    403     401
"""
# The rest is the nouns' own, in `tests.nouns`; there, a name in braces is a fixture with the id.
TABLE += nouns.credentials()


def rows(table, callers=CALLERS):
    """(method, path, {caller: status}) of each line; a path alone is before those below."""
    base = ""
    for line in filter(None, table.splitlines()):
        method, *cells = line.split()
        if line.startswith("/"):
            base = line
        elif method in METHODS:
            path = base + "".join(cells[: -len(callers)])
            yield method, path, dict(zip(callers, map(int, cells[-len(callers) :]), strict=True))


def cells(table, callers=CALLERS):
    """A test for each cell."""
    return [
        pytest.param(method, path, caller, status, id=f"{method} {path} {caller}")
        for method, path, statuses in rows(table, callers)
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
        **{member: functools.partial(get, member) for member in ("editor", "viewer", "former")},
    }

    def call(app, method, path, caller, status):
        if method == "POST" and path.endswith("/member"):
            # Whom the body names.
            get("stranger")
        if status == 200 and path.endswith("{project}/analysis"):
            get("vision")
        real = re.sub(r"{(\w+)}", lambda place: str(get(place[1]).id), path)
        body = nouns.good_body(method, path) if method in ("POST", "PUT", "PATCH") else None
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


@pytest.mark.parametrize(
    ("method", "path", "caller", "status"), cells(MEMBER_CREDENTIALS, MEMBER_CALLERS)
)
def test_members(app, ask, method, path, caller, status):
    ask(app, method, path, caller, status)


@pytest.mark.parametrize(("method", "path", "caller", "status"), cells(OPEN_CREDENTIALS))
def test_users_open_to_all(app, ask, method, path, caller, status):
    ask(app, method, path, caller, status)


@pytest.fixture(scope="module")
def app_for_oneself(database_url):
    client = build(database_url, user_access="self")
    yield client
    client.registry.engine.dispose()


@pytest.mark.parametrize(("method", "path", "caller", "status"), cells(SELF_CREDENTIALS))
def test_users_for_themselves_alone(app_for_oneself, ask, method, path, caller, status):
    ask(app_for_oneself, method, path, caller, status)


@pytest.mark.parametrize("mode", [OPEN_CREDENTIALS, SELF_CREDENTIALS], ids=["open", "self"])
def test_no_endpoint_is_missing_in_the_tables(app, mode):
    tabled = {
        (method, re.sub(r"/({\w+}|docs\.js)(?=/|$)", "/{}", path))
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
