"""Each answer that the description promises is given; that no other is, `tests.client` sees to.

500 alone is left out: no request brings it about.
"""

import dataclasses
import json
import re

import pytest

from ar_targets.db.session import transaction_scope
from ar_targets.models import Project, Target, soft_delete

from .. import nouns
from ..actors import PASSWORD
from ..client import JPEG, JSON
from ..conftest import build
from ..description import default_document
from ..pictures import CHINA
from ..tables import idempotency_key

# PyMySQL leaves the closing of a socket on which nobody listened to Python.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")

MISSING = "999999"
# Port 9 is for discarding what is sent: nobody listens there.
AWAY = "mysql+pymysql://root@127.0.0.1:9/none"
DOCUMENT = default_document()
OPERATIONS = [
    (path, method)
    for path, item in DOCUMENT["paths"].items()
    for method in item
    if method != "parameters"
]
# What another has already.
TAKEN = {
    "/jwt": {},
    "/member": {"login": "VICTOR"},
    "/imagetarget": {"name": "GATE"},
    "/user": {"login": "STEFAN"},
    "/project": {"name": "MUSEUM"},
}


# The statuses that need a used key; no other has what a token has, so its 409 is of that kind, too.
ELSEWHERE = {
    (path, method): {422, 409} if path.endswith("/jwt") else {422}
    for path, method in OPERATIONS
    if "422" in DOCUMENT["paths"][path][method]["responses"]
}


# Bytes behind the end of a picture are accepted.
LARGER = CHINA + bytes(1)


@dataclasses.dataclass
class Call:
    """A call of an operation: a good one, until it is spoilt."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]

    def send(self, app, status):
        return app.request(
            self.path, method=self.method, body=self.body, headers=self.headers, status=status
        )


# Parameters of paths → the fixtures whose ids they take; others are named like theirs.
FIXTURES = {"user_id": "owner", "token_id": "write_token"}


@pytest.fixture
def good(request, owner, project, write_token):
    """Makes a good call of an operation."""

    def place(path, parameter):
        if parameter == "asset":
            return "docs.js"
        name = FIXTURES.get(parameter, parameter.removesuffix("_id"))
        if "/member/" in path and parameter == "user_id":
            name = "viewer"
        if "/analysis" in path and parameter == "target_id":
            name = "analysed"
        return str(request.getfixturevalue(name).id)

    holders = {"user_token": owner, "project_token": write_token}

    def make(path, method):
        if path.endswith("{project_id}/analysis"):
            request.getfixturevalue("vision")
        operation = DOCUMENT["paths"][path][method]
        needed = [name for one in operation["security"] for name in one]
        headers = dict(holders[needed[0]].headers) if needed else {}
        body = b""
        if sent := nouns.good_body(method, path):
            raw = isinstance(sent, bytes)
            headers["Content-Type"] = JPEG if raw else JSON
            body = sent if raw else json.dumps(sent).encode()
        real = re.sub(r"{(\w+)}", lambda found: place(path, found[1]), path)
        return Call(method.upper(), real, body, headers)

    return make


@pytest.fixture
def away():
    """The application without a database."""
    client = build(AWAY, database_timeout=1)
    yield client
    client.registry.engine.dispose()


@pytest.fixture
def strict(make_app):
    """The application after one failed login, and one change of a user."""
    client = make_app(login_failures="1 per 1 minute", user_change_rate="1 per 1 minute")
    client.post_json("/api/user", {"login": "mia", "password": PASSWORD}, status=201)
    client.post_json("/api/login", {"login": "olga", "password": "wrong"}, status=401)
    return client


@pytest.fixture
def full(make_app):
    """The application where nobody may store any more."""
    return make_app(bytes_per_user=1)


SPOILT_HEADERS = {
    206: {"Range": "bytes=0-9"},
    304: {"If-None-Match": "*"},
    401: {"Authorization": "Bearer garbage"},
    412: {"If-Match": '"stale"'},
    415: {"Content-Type": "text/plain"},
    416: {"Range": "bytes=999999999-"},
}


def spoil(call, status, others):
    """Change a good call so that the answer is ``status``; ``others`` have no rights there."""
    call.headers |= SPOILT_HEADERS.get(status, {})
    if status == 400 and call.body:
        call.body = b'{"nonsense": 1}'
    elif status == 400:
        call.path += "?limit=0&overlay=0"
    elif status == 403 and call.path == "/metrics":
        call.headers["X-Forwarded-For"] = "192.0.2.7"
    elif status == 403:
        call.headers |= others
    elif status == 404:
        # OPTIONS looks no object up.
        other = "0" if call.method == "OPTIONS" else MISSING
        call.path = re.sub(r"(?<=/)\d+|docs\.js", other, call.path)
    elif status == 409 and call.path.endswith("/image"):
        call.body = LARGER
    elif status == 409 and call.body:
        taken = next(taken for part, taken in TAKEN.items() if part in call.path)
        call.body = json.dumps(json.loads(call.body) | taken).encode()
    elif status == 414:
        call.path += "?" + "x" * 8192
    elif status == 413:
        call.body = b" " * 18 * 2**20


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda text: text)
def test_every_answer_is_given(request, good, path, method, stage, app, owner, write_token):
    operation = DOCUMENT["paths"][path][method]
    statuses = {int(status) for status in operation["responses"]}
    kinds = {name for one in operation["security"] for name in one}
    others = {"project_token": owner, "user_token": write_token}.get("".join(kinds))
    others = others or request.getfixturevalue("stranger")
    # What goes well comes last: it changes or deletes what the others need.
    for status in sorted(statuses - ELSEWHERE.get((path, method), set()) - {500}, reverse=True):
        call, asked = good(path, method), app
        if status in (429, 503):
            asked = request.getfixturevalue({429: "strict", 503: "away"}[status])
        elif status == 409 and path.endswith("/image"):
            asked = request.getfixturevalue("full")
        elif status == 409:
            request.getfixturevalue("other_project")
            if path.endswith("/member"):
                request.getfixturevalue("viewer")
            if "/imagetarget" in path:
                stage.target(request.getfixturevalue("project"), name="gate")
            if "/jwt" in path:
                lost = stage.app(request.getfixturevalue("project"))
                stage.revoke(lost)
                call.path = lost.path
        spoil(call, status, others.headers)
        if status == 409 and path.endswith("{target_id}/restore"):
            lost = stage.target(request.getfixturevalue("project"), name="lost")
            stage.delete(Target, lost.id)
            stage.target(request.getfixturevalue("project"), name="LOST")
            call.path = f"{lost.path}/restore"
            call.send(asked, status)
        elif status == 409 and path.endswith("/restore"):
            answer_taken(stage, request.getfixturevalue, call, app)
        else:
            call.send(asked, status)


@pytest.mark.parametrize(("path", "method"), ELSEWHERE)
def test_every_answer_to_a_used_key(good, stranger, path, method, stage, app):
    """Used with another body, and by a creation whose answer cannot be read again."""
    call = good(path, method)
    call.headers["Idempotency-Key"] = "used"
    call.send(app, 201)
    with stage.engine.begin() as connection:
        connection.execute(idempotency_key.update().values(answer=b""))
    call.send(app, 409)
    call.path += "?other=1"
    call.send(app, 422)


def answer_taken(stage, get, call, app):
    """Restoring a project whose name another has meanwhile; the project is restored afterwards."""
    project, stranger = get("project"), get("stranger")
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, project.id)
    other = stage.project(stranger, project.name)
    call.send(app, 409)
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, other.id)
        soft_delete.restore(db, Project, project.id)
