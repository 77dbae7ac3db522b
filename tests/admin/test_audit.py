"""The audit trail in the panel, and what changes through the panel leave in it."""

import orjson

from ..actors import PASSWORD
from ..panel import Panel, exported, logged_in
from ..tables import audit
from ..tables import member as members

LIST = "/admin/audit/"


def entries(page):
    """(what, when, who, from, set to) of each line."""
    return [
        tuple(" ".join(cell.get_text(" ", strip=True).split()) for cell in row.select("td"))
        for row in page.html.select("tbody tr")
    ]


def test_changes_through_the_panel_leave_a_trail(panel, stage, administrator, project):
    edit = f"/admin/project/edit/?id={project.id}"
    panel.send(edit, name="Park", owner="olga", status=302)
    panel.send(edit, name="Park", owner="ada", status=302)
    panel.act("project", "delete", project.id)
    panel.act("trash/project", "restore", project.id)
    panel.act("project", "delete", project.id)
    panel.send("/admin/trash/project/remove/", rowid=str(project.id), status=303)
    rows = [row for row in stage.rows(audit) if row["via"] == "admin"]
    actions = ["login", "change", "change", "delete", "restore", "delete", "remove"]
    assert [row["action"] for row in rows] == actions
    assert {row["actor"] for row in rows} == {f"user:{administrator.id}"}
    assert all(row["request_id"] for row in rows)
    set_to = [orjson.loads(row["details"]) for row in rows[1:3]]
    assert set_to == [{"name": "Park"}, {"owner": administrator.id}]


def test_nothing_that_was_refused_is_in_it(panel, stage, project, other_project):
    fields = {"name": "Museum", "owner": "olga"}
    panel.send(f"/admin/project/edit/?id={project.id}", **fields, status=409)
    panel.act("trash/project", "restore", 999)
    panel.act("trash/project", "restore", project.id)
    written = [row["action"] for row in stage.rows(audit) if row["via"] == "admin"]
    assert written == ["login"]


def test_secrets_are_not_in_it(panel, owner):
    fields = {"login": "olga", "password": "another password"}
    panel.send(f"/admin/user/edit/?id={owner.id}", **fields, status=302)
    page = panel.get(LIST)
    assert "password set" in entries(page)[0][4]
    assert "another password" not in page
    assert "another password" not in panel.get(f"{LIST}export/csv/")


def test_failed_logins_are_in_it(app, panel, administrator):
    for login in ("ada", "nobody"):
        Panel(app.app).log_in(login, "wrong", status=401)
    page = panel.get(f"{LIST}?flt2_action_is=login%20failed")
    assert [what for what, *_ in entries(page)] == [
        "login failed unknown login",
        f"login failed ada user #{administrator.id}",
    ]


def test_read_it(app, panel, owner, project):
    app.call("PATCH", project.path, {"name": "Park"}, who=owner, status=200)
    what, _, who, _, details = entries(panel.get(LIST))[0]
    # Names stand beside ids: those of now.
    assert what == f"change Park project #{project.id}"
    assert who == f"olga user:{owner.id} API"
    assert details == "name Park"


def test_filters(app, panel, owner, project, administrator):
    app.call("PATCH", project.path, {"name": "Park"}, who=owner, status=200)

    def found(query):
        return [line[0].split()[0] for line in entries(panel.get(f"{LIST}?{query}"))]

    assert found("flt0_row_is=project") == ["change", "create"]
    assert found("flt0_row_is=project&flt2_action_is=create") == ["create"]
    assert found("flt2_action_is=change") == ["change"]
    # By a login, without regard to case, or as it stands in the trail.
    assert found("flt3_by_is=OLGA") == ["change"]
    assert found(f"flt3_by_is=user:{owner.id}") == ["change"]
    assert {*found("flt3_by_is=script")} <= {"create"}
    assert found("flt3_by_is=nobody") == []
    for row_id in (project.id, f"%23{project.id}"):
        assert found(f"flt0_row_is=project&flt1_id_is={row_id}") == ["change", "create"]
    assert found(f"flt0_row_is=user&flt1_id_is={owner.id}&flt3_by_is=nobody") == []
    assert found("sort=1")[0] == "create"


def test_follow_it(panel, owner, project, target, write_token):
    """Each page leads to its own trail, and each line to that of its row and of its principal."""
    pages = {
        f"/admin/user/details/?id={owner.id}": f"create olga user #{owner.id}",
        f"/admin/project/details/?id={project.id}": f"create Zoo project #{project.id}",
        f"/admin/target/details/?id={target.id}": f"create a gate target #{target.id}",
        f"/admin/token/details/?id={write_token.id}": f"create token #{write_token.id}",
    }
    for path, expected in pages.items():
        shown = entries(panel.get(path).click("What happened to it"))
        assert [line[0] for line in shown] == [expected]
    own = panel.get(LIST).html.find("a", string="ada", href=lambda url: "by_is" in url)
    assert [line[0].split()[0] for line in entries(panel.get(own["href"]))] == ["login"]


def test_names_of_what_is_gone(panel, stage, project):
    stage.project(stage.user("other"), "Other")
    panel.act("project", "delete", project.id)
    assert entries(panel.get(LIST))[0][0] == f"delete Zoo project #{project.id}"
    panel.send("/admin/trash/project/remove/", rowid=str(project.id), status=303)
    assert entries(panel.get(LIST))[0][0] == f"remove project #{project.id}"


def test_others_see_their_own_entries(app, panel, owner, project, stranger):
    olga = logged_in(app, "olga")
    app.call("PATCH", project.path, {"name": "Park"}, who=owner, status=200)
    panel.send(f"/admin/project/edit/?id={project.id}", name="Garden", owner="olga", status=302)
    shown = entries(olga.get(LIST))
    assert [line[0] for line in shown] == [
        f"change Garden project #{project.id}",
        f"login olga user #{owner.id}",
    ]
    assert entries(olga.get(f"{LIST}?flt3_by_is=ada")) == []
    assert len(exported(olga.get(f"{LIST}export/csv/"))) == 2
    assert entries(logged_in(app, "stefan").get(f"{LIST}?flt0_row_is=project")) == []


def test_names_that_others_see(app, stage, owner, project, target, viewer):
    """Of projects and targets in sight, and their own; not those of tokens and members."""
    olga = logged_in(app, "olga")
    olga.act("target", "delete", target.id)
    olga.act("trash/target", "restore", target.id)
    token = stage.app(project)
    olga.act("token", "revoke", token.id)
    (member,) = stage.rows(members)
    olga.act("member", "remove", member["id"])
    assert [line[0] for line in entries(olga.get(LIST))] == [
        f"delete member #{member['id']}",
        f"revoke token #{token.id}",
        f"restore a gate target #{target.id}",
        f"delete a gate target #{target.id}",
        f"login olga user #{owner.id}",
    ]


def test_others_see_no_names_of_what_they_no_longer_see(app, panel, owner, project):
    olga = logged_in(app, "olga")
    app.call("PATCH", project.path, {"name": "Park"}, who=owner, status=200)
    panel.send(f"/admin/project/edit/?id={project.id}", name="Secret", owner="ada", status=302)
    page = olga.get(LIST)
    assert entries(page)[0][0] == f"change project #{project.id}"
    assert "Secret" not in page


def test_export(panel, owner, project):
    (row,) = exported(panel.get(f"{LIST}export/csv/?flt0_row_is=project"))
    assert (row["What"], row["Noun"], row["Row Id"]) == ("create", "project", str(project.id))
    assert orjson.loads(row["Set to"])["name"] == "Zoo"


def test_switched_off(make_app, stage, administrator):
    quiet = Panel(make_app(audit_days=0).app)
    quiet.log_in()
    quiet.send("/admin/user/new/", login="nora", password=PASSWORD, status=302)
    assert [row for row in stage.rows(audit) if row["via"] == "admin"] == []
    assert "switched off" in quiet.get(f"{LIST}?flt2_action_is=login")
