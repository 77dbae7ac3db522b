"""How often a request makes the server wait for the database, as seen on the wire."""

import base64
import hashlib

import pytest
from sqlalchemy import text

from ..actors import PASSWORD
from ..pictures import CHINA
from ..proxied import proxied

# Who the caller is and what the path names; then what is asked for.
READ = 2
# Who the caller is and what the path names, perhaps a lock; the change, its entry in the
# audit trail, the commit.
WRITE = 5
# A user is read once more behind its change; its projects go along with it, and the tokens that
# it has made in those of others.
WRITE_USER = WRITE + 1
DELETE_USER = WRITE_USER + 1
# The first of an owner, or of a project, is counted for each limit that it may reach.
NEW_PROJECT, NEW_TARGET = WRITE + 1, WRITE + 2
IMAGE = base64.b64encode(CHINA).decode()
TAG = f'"{hashlib.sha256(CHINA).hexdigest()}"'

# Who asks, for what, with what body and headers; and the most that it may take.
REQUESTS = {
    "list users": (None, "GET", "/api/user", None, READ),
    "read a user": (None, "GET", "{owner.path}", None, READ),
    "list projects": ("owner", "GET", "/api/project", None, READ),
    "read a project": ("owner", "GET", "{project.path}", None, READ),
    "list tokens": ("owner", "GET", "{project.tokens}", None, READ),
    "read a token": ("owner", "GET", "{write_token.path}", None, READ),
    "list targets": ("write_token", "GET", "{project.targets}", None, READ),
    "list targets by a token that reads": ("read_token", "GET", "{project.targets}", None, READ),
    "read a target": ("write_token", "GET", "{target.path}", None, READ),
    "read an image": ("write_token", "GET", "{target.image}", None, READ),
    "read an image that is known": ("write_token", "GET", "{target.image}", TAG, READ),
    "ready": (None, "GET", "/health/ready", None, READ),
    "live": (None, "GET", "/health/live", None, 0),
    "create a user": (None, "POST", "/api/user", {"login": "n", "password": PASSWORD}, WRITE),
    "change a user": (None, "PATCH", "{owner.path}", {"login": "other"}, WRITE_USER),
    "create a project": ("owner", "POST", "/api/project", {"name": "new"}, NEW_PROJECT),
    "rename a project": ("owner", "PATCH", "{project.path}", {"name": "other"}, WRITE),
    "create a token": ("owner", "POST", "{project.tokens}", {}, WRITE),
    "extend a token": ("owner", "PATCH", "{write_token.path}", {"ttl": 60}, WRITE),
    "revoke a token": ("owner", "DELETE", "{read_token.path}", None, WRITE),
    "create a target": (
        "write_token",
        "POST",
        "{project.targets}",
        {"image": IMAGE},
        NEW_TARGET,
    ),
    "describe a target": ("write_token", "PATCH", "{target.path}", {"description": "x"}, WRITE),
    "replace a target": ("write_token", "PUT", "{target.path}", {"image": IMAGE}, WRITE),
    "delete a target": ("write_token", "DELETE", "{target.path}", None, WRITE),
    "delete a project": ("owner", "DELETE", "{project.path}", None, WRITE),
    "delete a user": (None, "DELETE", "{owner.path}", None, DELETE_USER),
}


@pytest.fixture(scope="module")
def running(database_url, tmp_path_factory):
    with proxied(database_url, tmp_path_factory.mktemp("server")) as made:
        yield made


def test_few(running, rows_removed, sweeper, owner, project, write_token, read_token, target):
    """All of them, one after the other: so the failure shows all counts."""
    actors = locals()
    with sweeper.connect() as connection:
        is_mariadb = "MariaDB" in connection.scalar(text("SELECT VERSION()"))
    counts = {}
    for name, (who, method, path, body, _) in REQUESTS.items():
        # What a session or a statement costs once is not what a request costs.
        for _ in range(3):
            running.ask("GET", project.path, who=owner)
            running.ask("GET", target.path, who=write_token)
        headers = {"if_none_match": body} if isinstance(body, str) else {}
        sent = None if headers else body
        with running.proxy.counting() as count:
            reply = running.ask(
                method, path.format(**actors), sent, actors[who] if who else None, **headers
            )
        assert reply.status < 300 or reply.status == 304, (name, reply)
        counts[name] = count
    costs = {name: count.trips for name, count in counts.items()}
    print("round trips:", *(f"{cost} {name}" for name, cost in costs.items()), sep="\n  ")
    wrong = [
        f"{name}: at most {most}, but {counts[name]}"
        for name, (*_, most) in REQUESTS.items()
        # MySQL is asked to prepare a statement by itself; MariaDB takes both at once.
        if costs[name] > most + sum(s.prepared and not is_mariadb for s in counts[name].statements)
    ]
    assert not wrong, "\n\n".join(wrong)
