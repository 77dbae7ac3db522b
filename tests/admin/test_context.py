"""The panel's session: what is committed, what is taken back, and what is run again."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ar_targets.models import project as projects
from ar_targets.models import soft_delete
from ar_targets.models import target as targets
from ar_targets.models import user as users

from .. import tables
from ..actors import PASSWORD
from ..panel import logged_in, names
from ..pictures import CHINA

# The database's own error, without another transaction to meet.
DEADLOCK = text("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")
JSON = "application/json"


@pytest.fixture
def interrupted(monkeypatch):
    """Lets the n-th call of a module's function meet a deadlock, after its work; the calls."""

    def interrupt(module, name, turn=1):
        work, calls = getattr(module, name), []

        def work_or_deadlock(database, *arguments, **options):
            done = work(database, *arguments, **options)
            calls.append(name)
            if len(calls) == turn:
                database.write(DEADLOCK)
            return done

        monkeypatch.setattr(module, name, work_or_deadlock)
        return calls

    return interrupt


def test_a_form_that_meets_a_deadlock_is_sent_once(panel, stage, interrupted):
    calls = interrupted(users, "create")
    response = panel.send("/admin/user/new/", login="nora", password=PASSWORD, status=302)
    assert "successfully created" in panel.said(response)
    assert len(calls) == 2
    assert [row["login"] for row in stage.rows(tables.user)] == ["ada", "nora"]


def test_an_upload_that_meets_a_deadlock_is_read_again(panel, stage, project, interrupted):
    calls = interrupted(targets, "create")
    files = [("image", "gate.jpg", CHINA)]
    path = f"/admin/target/upload/{project.id}/"
    panel.send(path, files=files, accept=JSON, status=201)
    assert len(calls) == 2
    assert [row["image"] for row in stage.rows(tables.target)] == [CHINA]


def test_a_bulk_action_that_meets_a_deadlock_goes_on(panel, stage, project, interrupted):
    """Each row is a transaction of its own: those before the deadlock are done."""
    made = [stage.target(project, name=name) for name in ("one", "two", "three")]
    interrupted(soft_delete, "delete", turn=2)
    panel.act("target", "delete", *[target.id for target in made])
    assert {*names(panel.get("/admin/trash/target/"))} == {"one", "two", "three"}
    assert all(row["deleted_at"] for row in stage.rows(tables.target))
    entries = [row["action"] for row in stage.rows(tables.audit) if row["noun"] == "target"]
    assert entries.count("delete") == 3


def test_what_fails_is_taken_back(panel, stage, project, monkeypatch):
    """An error after the change, and before its commit, keeps nothing."""
    rename = projects.rename

    def rename_and_fail(*arguments):
        rename(*arguments)
        raise RuntimeError("secret words")

    monkeypatch.setattr(projects, "rename", rename_and_fail)
    path = f"/admin/project/edit/?id={project.id}"
    page = panel.send(path, name="Park", owner="olga", status=500)
    assert "an unexpected error" in page
    assert "secret words" not in page
    told = panel.send(path, name="Park", owner="olga", accept=JSON, status=500)
    assert "an unexpected error" in told.json["errors"][0]["description"]
    assert stage.rows(tables.project)[0]["name"] == "Zoo"
    assert "change" not in [row["action"] for row in stage.rows(tables.audit)]
    monkeypatch.undo()
    panel.send(path, name="Park", owner="olga", status=302)


def test_a_constraint_that_nobody_can_meet_is_an_error(panel, project, monkeypatch):
    def broken(*_):
        raise IntegrityError("INSERT …", {}, Exception("some constraint"))

    monkeypatch.setattr(projects, "rename", broken)
    path = f"/admin/project/edit/?id={project.id}"
    page = panel.send(path, name="Park", owner="olga", status=500)
    assert "some constraint" not in page


def test_connections_go_back(app, panel, stage, project, target):
    """Whatever a request ends with, it keeps no connection."""
    pool = app.registry.engine.pool
    held = pool.checkedout()
    for url, status in (
        ("/admin/target/", 200),
        (f"/admin/target/details/?id={target.id}", 200),
        ("/admin/target/details/?id=999999", 302),
        ("/admin/target/999999/image/x.jpg", 404),
        ("/admin/target/export/csv/", 200),
        ("/admin/nothing/", 404),
    ):
        panel.get(url, status=status)
        assert pool.checkedout() == held, url
    panel.send("/admin/project/new/", name="", owner="nobody", status=400)
    panel.send("/admin/project/new/", name="Zoo", owner="olga", status=409)
    panel.act("target", "delete", target.id)
    assert pool.checkedout() == held


def test_one_sees_what_one_has_just_changed(app, panel, stage, project):
    """The session of a thread ends with its request: nothing of it is shown in the next."""
    other = logged_in(app, "ada")
    path = f"/admin/project/edit/?id={project.id}"
    for name in ("Park", "Garden"):
        other.get("/admin/project/", status=200)
        panel.send(path, name=name, owner="olga", status=302)
        assert names(other.get("/admin/project/")) == [name]
