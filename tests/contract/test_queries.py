"""What requests ask of the database: few round trips, each by an index, blobs only if wanted."""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text

from ar_targets import clock
from ar_targets.db.base import fold

from ..actors import PASSWORD
from ..pictures import CHINA
from ..tables import project as projects
from ..tables import target as targets
from ..tables import token as tokens
from ..tables import user as users

ROWS = 1000
IMAGE = base64.b64encode(CHINA).decode()
USER = {"login": "new", "password": PASSWORD}

# Name → who asks, for what, with what body; how many statements that takes.
REQUESTS: dict[str, tuple[str | None, str, str, dict[str, Any] | None, int]] = {
    "list users": (None, "GET", "/api/user", None, 1),
    "create a user": (None, "POST", "/api/user", USER, 2),
    "read a user": (None, "GET", "{owner.path}", None, 1),
    "change a user": (None, "PATCH", "{owner.path}", {"login": "other"}, 4),
    "delete a user": (None, "DELETE", "{owner.path}", None, 4),
    "log in": (None, "POST", "/api/login", {"login": "olga", "password": PASSWORD}, 5),
    "list projects": ("owner", "GET", "/api/project", None, 2),
    "create a project": ("owner", "POST", "/api/project", {"name": "new"}, 3),
    "read a project": ("owner", "GET", "{project.path}", None, 1),
    "rename a project": ("owner", "PUT", "{project.path}", {"name": "new"}, 3),
    "delete a project": ("owner", "DELETE", "{project.path}", None, 3),
    "list tokens": ("owner", "GET", "{project.tokens}", None, 2),
    "create a token": ("owner", "POST", "{project.tokens}", {}, 3),
    "read a token": ("owner", "GET", "{write_token.path}", None, 1),
    "extend a token": ("owner", "PATCH", "{write_token.path}", {"ttl": 60}, 3),
    "revoke a token": ("owner", "DELETE", "{write_token.path}", None, 3),
    "list targets": ("write_token", "GET", "{project.targets}", None, 2),
    "create a target": ("write_token", "POST", "{project.targets}", {"image": IMAGE}, 3),
    "read a target": ("write_token", "GET", "{target.path}", None, 1),
    "read an image": ("write_token", "GET", "{target.image}", None, 1),
    "head of an image": ("write_token", "HEAD", "{target.image}", None, 1),
    "describe a target": ("write_token", "PATCH", "{target.path}", {"description": "x"}, 3),
    "replace a target": ("write_token", "PUT", "{target.path}", {"image": IMAGE}, 3),
    "delete a target": ("write_token", "DELETE", "{target.path}", None, 3),
    "ready": (None, "GET", "/health/ready", None, 1),
    "live": (None, "GET", "/health/live", None, 0),
    "describe the API": (None, "GET", "/api/openapi.json", None, 0),
    "show the docs": (None, "GET", "/api/docs", None, 0),
    "a file of the docs": (None, "GET", "/api/docs/docs.js", None, 0),
    "metrics": (None, "GET", "/metrics", None, 2),
}
# As a table on MySQL, too, which draws a tree of its own accord.
EXPLAIN = "EXPLAIN FORMAT=TRADITIONAL"
READS_A_BLOB = {"read a target", "read an image"}
WRITES_A_BLOB = {"create a target", "replace a target"}
# Of one row or a few, or none: there is nothing to find an index for.
WITHOUT_INDEX = (
    "SELECT version_num",
    "SELECT purge_result",
    "INSERT INTO token",
    "INSERT INTO target",
    "INSERT INTO user",
    "INSERT INTO attempt",
    "INSERT INTO audit",
)


@pytest.fixture
def crowd(app, owner, project, stranger, other_project) -> None:
    """So many rows, most of them somebody else's, that a plan without an index shows."""
    now = clock.now()
    moments = {"created_at": now, "updated_at": now}
    token = {"access": "read", "description": "", "ttl": 1, "expires_at": now}
    target = {"width": 1, "height": 1, "size": 1, "sha256": "0" * 64, "image": b"x"}

    def whose(n: int, mine: int, other: int) -> int:
        return other if n % 20 else mine

    rows: dict[Any, Callable[[int], dict[str, Any]]] = {
        users: lambda n: {"login": f"u{n}", "login_key": fold(f"u{n}"), "password_hash": "-"},
        projects: lambda n: {
            "owner_id": whose(n, owner.id, stranger.id),
            "name": f"p{n}",
            "name_key": fold(f"p{n}"),
        },
        tokens: lambda n: (
            {
                "project_id": whose(n, project.id, other_project.id),
                "jti": f"{n:032x}",
            }
            | token
        ),
        targets: lambda n: (
            {
                "project_id": whose(n, project.id, other_project.id),
                "description": str(n),
            }
            | target
        ),
    }
    with app.registry.engine.begin() as db:
        for table, row in rows.items():
            db.execute(insert(table), [row(n) | moments for n in range(ROWS)])
        for table in rows:
            db.execute(text(f"ANALYZE TABLE `{table.name}`")).all()


@pytest.fixture
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is sent to the database, by any engine."""
    sent: list[tuple[str, Any]] = []

    def note(connection, cursor, statement, parameters, context, executemany):
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", REQUESTS)
def test_plan(name, app, owner, project, write_token, target, crowd, statements):
    actors = {
        "owner": owner,
        "project": project,
        "write_token": write_token,
        "target": target,
    }
    who, method, path, body, number = REQUESTS[name]
    statements.clear()
    response = app.call(method, path.format(**actors), body, who=actors.get(who))
    assert response.status_int < 300
    sent = statements[:]
    assert len(sent) == number, sent
    selected = [statement for statement, _ in sent if "target.image" in statement]
    assert bool(selected) == (name in READS_A_BLOB)
    assert any(CHINA in values(of) for _, of in sent) == (name in WRITES_A_BLOB)
    for statement, parameters in sent:
        # The metrics count up to a limit: whichever index is read, it is not for long.
        if name != "metrics" and not statement.startswith(WITHOUT_INDEX):
            check_plan(app.registry.engine, statement, parameters)


@pytest.mark.parametrize(
    ("tag", "part", "status", "number"),
    [
        ("*", None, 304, 1),
        ('"other"', None, 200, 2),
        (None, "bytes=0-9", 206, 2),
        (None, "bytes=0-", 206, 2),
        (None, f"bytes={len(CHINA)}-", 416, 1),
    ],
)
def test_an_image_that_may_not_be_wanted_whole(
    app, write_token, target, statements, tag, part, status, number
):
    given = {"if_none_match": tag, "range": part}
    headers = {name: value for name, value in given.items() if value is not None}
    statements.clear()
    app.call("GET", target.image, who=write_token, status=status, **headers)
    assert len(statements) == number
    assert "target.image" not in statements[0][0]


def values(parameters: Any) -> list[Any]:
    return list(parameters.values() if isinstance(parameters, dict) else parameters)


def check_plan(engine, statement, parameters) -> None:
    """Each table is read by an index; nothing is sorted, or kept in a temporary table."""
    with engine.connect() as connection:
        explained = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters)
        plan = explained.mappings().all()
    # MySQL first collects the rows of an UPDATE that changes the index it found them by.
    detours = "filesort" if statement.startswith("UPDATE") else "filesort|temporary"
    for step in plan:
        # A row that cannot exist is found out while planning: "const", without a key.
        # MySQL lists the table that is written to as well, as if it were read.
        # What is counted up to a limit is put into a table of its own, which is then read whole.
        if (
            step["table"]
            and not step["table"].startswith("<derived")
            and step["type"] not in ("const", None)
            and step["select_type"] != "INSERT"
        ):
            assert step["key"], (statement, dict(step))
            assert step["type"] not in ("ALL", "index"), (statement, dict(step))
            assert not re.search(detours, step["Extra"] or ""), (statement, dict(step))


def test_a_plan_without_an_index_is_noticed(app, crowd):
    with pytest.raises(AssertionError):
        check_plan(app.registry.engine, "SELECT id FROM token WHERE ttl = %s", (1,))
