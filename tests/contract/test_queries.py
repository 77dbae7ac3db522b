"""What requests ask of the database: few round trips, each by an index, blobs only if wanted."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, literal, select, text

from ar_targets import clock
from ar_targets.vision.version import VERSION

from .. import nouns
from ..actors import PASSWORD
from ..pictures import CHINA
from ..tables import analysis, similarity
from ..tables import target as table

ROWS = 1000
later = table.alias()

# Name → who asks, for what, with what body; how many statements that takes. The rest is the
# nouns' own, in `tests.nouns`; names in braces, and who asks, are fixtures.
REQUESTS: dict[str, tuple[str | None, str, str, dict[str, Any] | None, int]] = {
    "log in": (None, "POST", "/api/login", {"login": "olga", "password": PASSWORD}, 6),
    "index": (None, "GET", "/", None, 1),
    "index of the API": (None, "GET", "/api", None, 1),
    "ready": (None, "GET", "/health/ready", None, 1),
    "live": (None, "GET", "/health/live", None, 0),
    "describe the API": (None, "GET", "/api/openapi.json", None, 0),
    "show the docs": (None, "GET", "/api/docs", None, 0),
    "a file of the docs": (None, "GET", "/api/docs/docs.js", None, 0),
    "metrics": (None, "GET", "/metrics", None, 3),
    "read an analysis": ("write_token", "GET", "{analysed.path}/analysis", None, 3),
    "read a pending analysis": ("write_token", "GET", "{target.path}/analysis", None, 2),
    "read a heatmap": ("read_token", "GET", "{analysed.path}/analysis/heatmap", None, 2),
    "analyse again": ("write_token", "POST", "{analysed.path}/analysis/retry", None, 5),
    "list analyses": ("write_token", "GET", "{project.targets}?fields=analysis", None, 4),
    "list by rating": ("write_token", "GET", "{project.targets}?rating_min=2", None, 2),
    "list by status": ("write_token", "GET", "{project.targets}?analysis=done", None, 2),
    "list a prefix by status": (
        "write_token",
        "GET",
        "{project.targets}?name_prefix=1&analysis=done",
        None,
        2,
    ),
    **nouns.gathered("STATEMENTS"),
}
# As a table on MySQL, too, which draws a tree of its own accord.
EXPLAIN = "EXPLAIN FORMAT=TRADITIONAL"
READS_A_BLOB = {"read a target", "read an image"}
WRITES_A_BLOB = {"create a target", "replace a target", "replace an image"}
# Of one row or a few, or none: there is nothing to find an index for.
WITHOUT_INDEX = (
    "SELECT version_num",
    "SELECT purge_result",
    "SELECT backup_result",
    "INSERT INTO user",
    "INSERT INTO attempt",
    "INSERT INTO audit",
    "INSERT INTO analysis",
)


@pytest.fixture
def crowd(app, owner, project, stranger, other_project) -> None:
    """So many rows, most of them somebody else's, that a plan without an index shows."""
    now = clock.now()
    moments = {"created_at": now, "updated_at": now}

    def whose(n: int) -> tuple[int, int]:
        of = (stranger, other_project) if n % 20 else (owner, project)
        return of[0].id, of[1].id

    with app.registry.engine.begin() as db:
        for noun in nouns.modules():
            rows = [noun.crowd_row(n, *whose(n)) | moments for n in range(ROWS)]
            db.execute(insert(noun.table), rows)
        # Each target is analysed, well and badly.
        known = select(
            *(table.c.id, table.c.project_id, table.c.sha256, literal(VERSION), literal("done")),
            *(literal(now), table.c.id % 6, 5 - table.c.id % 6),
        )
        names = ("target_id", "project_id", "sha256", "version", "status", "queued_at")
        names += ("rating", "rating_order")
        db.execute(insert(analysis).from_select(names, known))
        # Each second one resembles the next.
        similar = select(table.c.id, table.c.id + 1, literal(0.5)).where(
            table.c.id % 2 == 0, select(later.c.id).where(later.c.id == table.c.id + 1).exists()
        )
        db.execute(insert(similarity).from_select(["target_id", "other_id", "value"], similar))
        for one in (*(noun.table for noun in nouns.modules()), analysis, similarity):
            db.execute(text(f"ANALYZE TABLE `{one.name}`")).all()


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
def test_plan(request, name, app, owner, crowd, statements):
    who, method, path, body, number = REQUESTS[name]
    named = {who, *re.findall(r"{(\w+)", path)} - {None}
    made = {fixture: request.getfixturevalue(fixture) for fixture in named}
    if name == "metrics":
        # Who is near a limit is counted now and then.
        app.get(path)
    statements.clear()
    response = app.call(method, path.format(**made), body, who=made.get(who))
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
