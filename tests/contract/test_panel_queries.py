"""What the admin panel asks of the database: every list by an index, however it is sorted."""

import itertools
import re

import pytest
from sqlalchemy import insert, select, text

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import soft_delete
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.user import User

from ..panel import Panel, gallery, logged_in, names
from ..tables import analysis as analyses
from ..tables import target as targets
from .test_queries import EXPLAIN, ROWS, check_plan, crowd, statements

__all__ = ["crowd", "statements"]

# Pages with all ways to sort and filter.
PAGES = [
    "user/",
    "user/?sort=0",
    "user/?sort=0&desc=1",
    "user/?sort=2",
    "user/?flt0_login_begins_with=u1",
    "user/?flt0_login_begins_with=u1&flt1_role_is=user",
    "user/?flt1_role_is=administrator",
    "user/?flt1_role_is=user",
    "user/details/?id={owner}",
    "user/edit/?id={owner}",
    "user/ajax/lookup/?name=login&query=u1",
    "project/",
    "project/?sort=0",
    "project/?sort=2",
    "project/?flt0_name_begins_with=p1",
    "project/?flt1_owner_is=olga",
    "project/?flt2_whose_is=mine",
    "project/details/?id={project}",
    "project/edit/?id={project}",
    "project/ajax/lookup/?name=owner&query=u1",
    "token/",
    "token/?sort=5",
    "token/?flt1_state_is=valid",
    "token/?flt1_state_is=expired",
    "token/?flt1_state_is=revoked",
    "token/?flt1_state_is=valid&flt2_access_is=read",
    "token/?flt0_project_is=Zoo",
    "token/ajax/lookup/?name=project&query=p1",
    "target/",
    "target/?sort=5",
    "target/?look=gallery",
    "target/?flt1_name_begins_with=1",
    "target/?flt0_project_is=Zoo",
    "target/?flt0_project_is=Zoo&flt1_name_begins_with=1",
    "target/?flt2_rating_is=weak",
    "target/?flt2_rating_is=5",
    "target/?flt2_rating_is=pending",
    "target/?flt2_rating_is=failed&sort=5",
    "target/?flt0_project_is=Zoo&flt2_rating_is=weak",
    "target/?flt0_project_is=Zoo&flt2_rating_is=pending",
    "audit/",
    "audit/?sort=1",
    "audit/?flt0_row_is=user&flt1_id_is={owner}",
    "audit/?flt0_row_is=user&flt1_id_is={owner}&flt3_by_is=script",
    "audit/?flt3_by_is=script",
    "audit/?flt3_by_is=olga",
    "audit/?flt3_by_is=olga&flt2_action_is=create",
    "audit/?flt0_row_is=user&flt2_action_is=create",
    "trash/user/",
    "trash/project/",
    "trash/target/",
    "trash/target/?sort=3",
]
# Statements that count within a bound, from a table of their own; and one row of a small table.
BOUNDED = re.compile(r"\(SELECT .* LIMIT \S+\) AS", re.DOTALL)
# The last is asked only where there are few entries; MySQL knows that all ids are above 0.
SMALL = (
    "EXPLAIN",
    "SELECT version_num",
    "SELECT VERSION()",
    "SELECT count(*) AS count_1 \nFROM audit ",
)


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
        rate_all(connection)
    with transaction_scope(app.registry.engine) as db:
        soft_delete.delete(db, Project, gone_project.id)
        soft_delete.delete(db, User, gone_user.id)
        for found in db.read(text("SELECT id FROM target LIMIT 20")):
            soft_delete.delete(db, Target, found[0])
    with app.registry.engine.begin() as connection:
        for name in ("user", "project", "token", "target", "analysis"):
            connection.execute(text(f"ANALYZE TABLE `{name}`")).all()
    return {
        "owner": owner.id,
        "project": project.id,
        "gone_user": gone_user.id,
        "gone_project": gone_project.id,
    }


def rate_all(connection) -> None:
    """What is known about the targets: of each hundredth something rare."""
    now = clock.now()
    known = {"sha256": "0" * 64, "version": 1, "queued_at": now, "rating": None}
    rows = []
    for number, (target_id, project_id) in enumerate(
        connection.execute(select(targets.c.id, targets.c.project_id)).all()
    ):
        row = known | {"target_id": target_id, "project_id": project_id, "status": "done"}
        if number % 100 < 2:
            row |= {"status": ("pending", "failed")[number % 100]}
        else:
            row |= {"rating": 1 if number % 100 == 2 else 4}
        rows.append(row | {"rating_order": None if row["rating"] is None else 5 - row["rating"]})
    connection.execute(analyses.delete())
    connection.execute(insert(analyses), rows)


def check(engine, sent) -> None:
    assert not [statement for statement, _ in sent if "target.image" in statement]
    for statement, parameters in sent:
        if statement.startswith(SMALL) or BOUNDED.search(statement):
            continue
        if not in_order_of_ids(engine, statement, parameters):
            check_plan(engine, statement, parameters)


def in_order_of_ids(engine, statement, parameters) -> bool:
    """Whether rows are read in the order of their ids until the page is full, and all else by ids.

    No index makes that cheaper: almost all rows of these lists are shown.
    """
    ordered = re.search(r"ORDER BY (\w+)\.id( DESC)? \n LIMIT", statement)
    if not ordered:
        return False
    with engine.connect() as connection:
        explained = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters)
        first, *others = explained.mappings().all()
    walked = (first["table"], first["type"], first["key"]) == (ordered[1], "index", "PRIMARY")
    unsorted = not re.search("filesort|temporary", first["Extra"] or "")
    return walked and unsorted and {step["type"] for step in others} <= {"eq_ref"}


def faults(cases, look) -> dict[str, str]:
    """What is wrong with each; the rows that all of them look at are made once."""
    found = {}
    for case in cases:
        try:
            look(case)
        except AssertionError as wrong:
            found[str(case)] = str(wrong)
    return found


def test_lists(app, panel, ids, statements):
    def look(page):
        statements.clear()
        response = panel.get("/admin/" + page.format(**ids), status=200)
        assert len(statements) <= 9
        check(app.registry.engine, statements[:])
        if response.content_type == "text/html":
            look_around(app, panel, statements, response)

    assert faults(PAGES, look) == {}


def look_around(app, panel, statements, response) -> None:
    """The pages before and behind."""
    for direction in ("next", "prev"):
        if link := response.html.select_one(f"[rel={direction}]"):
            statements.clear()
            response = panel.get(link["href"], status=200)
            # A page that is just full does not know that it is the last.
            assert names(response) or gallery(response) or response.html.select_one(".empty")
            check(app.registry.engine, statements[:])


RATINGS = itertools.product(
    ("ada", "olga"), ("weak", "4", "pending", "failed"), ("", "&flt0_project_is=Zoo")
)


def test_of_a_rating_the_rows_are_found_by_an_index(app, ids, administrator, statements):
    """An administrator's ratings by the whole of one, which is smaller than any row."""
    callers = {login: logged_in(app, login) for login in ("ada", "olga")}

    def look(case):
        login, word, within = case
        statements.clear()
        callers[login].get(f"/admin/target/?flt2_rating_is={word}{within}", status=200)
        sent = [both for both in statements if both[0].startswith("SELECT")]
        (page,) = [both for both in sent if "first_ids" in both[0]]
        with app.registry.engine.connect() as connection:
            explained = connection.exec_driver_sql(f"{EXPLAIN} {page[0]}", page[1])
            steps = [step for step in explained.mappings().all() if step["table"] == "analysis"]
        found = next(step for step in steps if step["key"] != "PRIMARY")
        assert found["key"].startswith("ix_analysis_")
        if found["type"] == "index":
            assert (login, within) == ("ada", "")
            assert "Using index" in found["Extra"]

    assert faults(RATINGS, look) == {}


def test_administrators_are_few(app, panel, ids, statements):
    """They are found by their role, and then sorted, where one asks for a login too."""
    statements.clear()
    panel.get("/admin/user/?flt0_login_begins_with=a&flt1_role_is=administrator", status=200)
    (page,) = [both for both in statements if "LIKE" in both[0]]
    with app.registry.engine.connect() as connection:
        (step,) = connection.exec_driver_sql(f"{EXPLAIN} {page[0]}", page[1]).mappings().all()
    assert step["key"] == "ix_user_is_admin_deleted_at_id"
    assert int(step["rows"]) < 10


# Those of users alone are the administrators'.
OTHERS_PAGES = [page for page in PAGES if not page.startswith(("user/", "trash/user/"))]


def test_others_than_administrators_cost_few_statements(app, ids, owner, statements):
    """What they see is asked for with the rows, however many projects are shared with them."""
    olga = logged_in(app, owner.login)

    def look(page):
        statements.clear()
        olga.get("/admin/" + page.format(**ids), status=200)
        assert len([sent for sent, _ in statements if not sent.startswith("EXPLAIN")]) <= 9

    assert faults(OTHERS_PAGES, look) == {}


def test_thumbnail(app, panel, target, project, statements):
    (path,) = [tag["src"] for tag in panel.get("/admin/target/").html.select("img.thumb")]
    panel.get(path)
    statements.clear()
    panel.get(path)
    assert len(statements) == 3
    check(app.registry.engine, statements[:])


def test_every_page_costs_one_statement_to_know_who_asks(panel, statements):
    statements.clear()
    panel.get("/admin/user/new/")
    assert len(statements) == 1
