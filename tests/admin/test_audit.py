"""The audit trail in the panel, and what changes through the panel leave in it."""

from ..actors import PASSWORD
from ..panel import Panel
from ..tables import audit


def entries(page):
    """(what, who, set to) of each line."""
    return [
        tuple(" ".join(cell.get_text(" ", strip=True).split()) for cell in row.select("td"))
        for row in page.html.select("tbody tr")
    ]


def test_changes_through_the_panel_leave_a_trail(panel, stage, administrator, project):
    panel.send(f"/admin/project/{project.id}/name/", name="Park", status=303)
    panel.send(f"/admin/project/{project.id}/owner/", owner="ada", status=303)
    panel.send(f"/admin/project/{project.id}/delete/", status=303)
    panel.send(f"/admin/trash/project/{project.id}/restore/", status=303)
    panel.send(f"/admin/project/{project.id}/delete/", status=303)
    panel.send(f"/admin/trash/project/{project.id}/remove/", status=303)
    rows = [row for row in stage.rows(audit) if row["via"] == "admin"]
    actions = ["login", "change", "change", "delete", "restore", "delete", "remove"]
    assert [row["action"] for row in rows] == actions
    assert {row["actor"] for row in rows} == {f"user:{administrator.id}"}
    assert all(row["request_id"] for row in rows)


def test_nothing_that_was_refused_is_in_it(panel, stage, project, other_project):
    panel.send(f"/admin/project/{project.id}/name/", name="Museum", status=409)
    panel.send("/admin/trash/project/999/restore/", status=303)
    written = [row["action"] for row in stage.rows(audit) if row["via"] == "admin"]
    assert written == ["login"]


def test_secrets_are_not_in_it(panel, owner):
    path = f"/admin/user/{owner.id}/password/"
    panel.send(path, password="another password", status=303)
    page = panel.get("/admin/audit/?via=admin")
    assert "password set" in entries(page)[0][4]
    assert "another password" not in page


def test_failed_logins_are_in_it(app, panel, administrator):
    for login in ("ada", "nobody"):
        Panel(app.app).log_in(login, "wrong", status=401)
    page = panel.get("/admin/audit/?action=login%20failed")
    assert [what for what, *_ in entries(page)] == [
        "login failed unknown login",
        f"login failed user #{administrator.id}",
    ]


def test_read_it(app, panel, owner, project, administrator):
    app.call("PATCH", project.path, {"name": "Park"}, who=owner, status=200)
    page = panel.get("/admin/audit/")
    what, _, who, _, details = entries(page)[0]
    assert what == f"change project #{project.id}"
    assert who == f"user:{owner.id} API"
    assert details == "name Park"
    assert len(entries(panel.get("/admin/audit/?noun=project"))) == 2
    assert len(entries(panel.get("/admin/audit/?noun=project&action=create"))) == 1
    assert len(entries(panel.get("/admin/audit/?via=api"))) == 1
    assert len(entries(panel.get(f"/admin/audit/?actor=user:{owner.id}"))) == 1
    mine = f"/admin/audit/?noun=user&row={owner.id}"
    assert [line[0] for line in entries(panel.get(mine))] == [f"create user #{owner.id}"]
    assert entries(panel.get(f"{mine}&actor=nobody")) == []
    assert panel.get(f"/admin/user/{owner.id}/").click("What happened").status_int == 200


def test_switched_off(make_app, stage, administrator):
    quiet = Panel(make_app(audit_days=0).app)
    quiet.log_in()
    quiet.send("/admin/user/new/", login="nora", password=PASSWORD, status=303)
    assert [row for row in stage.rows(audit) if row["via"] == "admin"] == []
    assert "switched off" in quiet.get("/admin/audit/?via=admin")
