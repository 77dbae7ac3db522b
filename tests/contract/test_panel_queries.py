"""What the admin panel asks of the database: every list by an index, however it is sorted."""

import re

import pytest
from sqlalchemy import insert, text

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import keyset, soft_delete
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.user import User

from ..panel import Panel, names
from ..tables import target as targets
from .test_queries import EXPLAIN, ROWS, check_plan, crowd, statements

__all__ = ["crowd", "statements"]

# Pages with all ways to sort, search and filter.
PAGES = [
    "user/",
    "user/?order=login",
    "user/?order=login&reverse=1",
    "user/?q=u1",
    "user/?q=u1&role=user",
    "user/?q=a&role=admin",
    "user/?role=admin",
    "user/?role=user",
    "user/{owner}/",
    "project/",
    "project/?order=name",
    "project/?q=p1",
    "project/?owner={owner}",
    "project/?owner={owner}&order=name",
    "project/?owner={owner}&q=p1",
    "project/{project}/",
    "token/",
    "token/?order=expires_at",
    "token/?state=valid",
    "token/?state=expired",
    "token/?state=revoked",
    "token/?state=valid&access=read&q=x",
    "token/?project={project}",
    "token/?project={project}&state=valid&q=x",
    "target/",
    "target/?reverse=1",
    "target/?q=1",
    "target/?project={project}",
    "target/?project={project}&q=1",
    "audit/",
    "audit/?noun=user&row={owner}",
    "audit/?noun=user&row={owner}&actor=script",
    "audit/?actor=script",
    "audit/?noun=user&action=create&via=script",
    "trash/",
    "trash/?kind=user",
    "trash/?kind=target",
    "trash/user/{gone_user}/",
    "trash/project/{gone_project}/",
]
# Statements that count within a bound, from a table of their own; and one row of a small table.
BOUNDED = re.compile(r"\(SELECT .* LIMIT \d+\) AS", re.DOTALL)
# The last is asked only where there are few entries; MySQL knows that all ids are above 0.
SMALL = ("SELECT version_num", "SELECT VERSION()", "SELECT count(*) AS count_1 \nFROM audit ")


@pytest.fixture
def panel(app, administrator):
    made = Panel(app.app)
    made.log_in()
    return made


@pytest.fixture
def ids(app, crowd, stage, owner, project):
    """Those that the pages name, and enough in the trash."""
    gone_user = stage.user("gone")
    gone_project = stage.project(owner, "gone")
    now = clock.now()
    row = {
        "project_id": gone_project.id,
        "description": "",
        "width": 1,
        "height": 1,
        "size": 1,
        "sha256": "0" * 64,
        "image": b"x",
        "created_at": now,
        "updated_at": now,
    }
    with app.registry.engine.begin() as connection:
        connection.execute(insert(targets), [row] * ROWS)
    with transaction_scope(app.registry.engine) as db:
        soft_delete.delete(db, Project, gone_project.id)
        soft_delete.delete(db, User, gone_user.id)
        for found in db.read(text("SELECT id FROM target LIMIT 20")):
            soft_delete.delete(db, Target, found[0])
    with app.registry.engine.begin() as connection:
        for name in ("user", "project", "token", "target"):
            connection.execute(text(f"ANALYZE TABLE `{name}`")).all()
    return {
        "owner": owner.id,
        "project": project.id,
        "gone_user": gone_user.id,
        "gone_project": gone_project.id,
    }


def check(engine, sent) -> None:
    assert not [statement for statement, _ in sent if "target.image" in statement]
    for statement, parameters in sent:
        if not statement.startswith(SMALL) and not BOUNDED.search(statement):
            check_plan(engine, statement, parameters)


@pytest.mark.parametrize("page", PAGES)
def test_lists(page, app, panel, ids, statements):
    statements.clear()
    response = panel.get("/admin/" + page.format(**ids), status=200)
    assert len(statements) <= 9
    check(app.registry.engine, statements[:])
    for direction in ("next", "prev"):
        if link := response.html.select_one(f"[rel={direction}]"):
            statements.clear()
            response = panel.get(link["href"], status=200)
            assert names(response)
            check(app.registry.engine, statements[:])


def test_windows_bound_what_is_read(app, panel, ids, statements, monkeypatch):
    monkeypatch.setattr(keyset, "WINDOW", 100)
    statements.clear()
    response = panel.get("/admin/target/?q=nothing-like-that")
    assert "Looked through 100 rows" in response
    check(app.registry.engine, statements[:])
    page = next(both for both in statements if "LIKE" in both[0])
    with app.registry.engine.connect() as connection:
        (step, *_) = connection.exec_driver_sql(f"{EXPLAIN} {page[0]}", page[1]).mappings().all()
    assert int(step["rows"]) <= 200


def test_dashboard(app, ids, administrator, statements, make_app):
    fresh = Panel(make_app().app)
    fresh.log_in()
    statements.clear()
    fresh.get("/admin/")
    grouped = [sent for sent in statements if "GROUP BY" in sent[0]]
    # One entry of the index for each row: nothing smaller tells the sum of all sizes, or the number
    # of all rows of a noun without dead ones.
    sums_or_members = r"sum\(|FROM member\s+WHERE true = 1"
    whole = [sent for sent in statements if re.search(sums_or_members, sent[0])]
    rest = [sent for sent in statements if sent not in [*grouped, *whole]]
    assert len(grouped) == 1
    for statement, parameters in [*grouped, *whole]:
        with app.registry.engine.connect() as connection:
            (step,) = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters).mappings()
        assert "Using index" in step["Extra"]
    check(app.registry.engine, rest)


def test_thumbnail(app, panel, target, project, statements):
    (path,) = [tag["src"] for tag in panel.get("/admin/target/").html.select("img.thumb")]
    panel.get(path)
    statements.clear()
    panel.get(path)
    assert len(statements) == 4
    check(app.registry.engine, statements[:])


def test_every_page_costs_one_statement_to_know_who_asks(panel, statements):
    statements.clear()
    panel.get("/admin/user/new/")
    assert len(statements) == 1
