"""Users in the panel."""

import pytest

from ..actors import PASSWORD
from ..client import at_once
from ..panel import exported, logged_in, names, row_form, shown_count, wrong
from ..tables import project as projects
from ..tables import user as users

LIST = "/admin/user/"


def row(stage, user_id):
    return next(found for found in stage.rows(users) if found["id"] == user_id)


def edit(user):
    return f"{LIST}edit/?id={user.id}"


def test_list_filter_sort(panel, stage):
    for login in ("olga", "Oleg", "bert", "anna"):
        stage.user(login)
    by_role = f"{LIST}?flt1_role_is="
    assert names(panel.get(LIST)) == ["anna", "bert", "Oleg", "olga", "ada"]
    assert names(panel.get(f"{LIST}?sort=0")) == ["ada", "anna", "bert", "Oleg", "olga"]
    assert names(panel.get(f"{LIST}?sort=0&desc=1"))[0] == "olga"
    assert names(panel.get(f"{LIST}?sort=2"))[0] == "ada"
    assert names(panel.get(f"{LIST}?flt0_login_begins_with=OL")) == ["Oleg", "olga"]
    assert names(panel.get(f"{LIST}?flt0_login_begins_with=%25")) == []
    assert names(panel.get(f"{by_role}administrator")) == ["ada"]
    assert names(panel.get(f"{by_role}user")) == ["anna", "bert", "Oleg", "olga"]
    assert names(panel.get(f"{by_role}user&flt0_login_begins_with=ol")) == ["Oleg", "olga"]
    assert names(panel.get(f"{by_role}administrator&flt0_login_begins_with=b")) == []
    assert shown_count(panel.get(LIST)) == "5"


def test_roles_at_a_glance(panel, owner):
    cells = [tag.get_text() for tag in panel.get(LIST).html.select("tbody .badge")]
    assert cells == ["administrator"]


def test_deleted_users_are_not_shown(app, panel, owner):
    app.call("DELETE", owner.path, status=204)
    assert names(panel.get(LIST)) == ["ada"]
    assert names(panel.get(f"{LIST}?flt0_login_begins_with=ol")) == []


def test_create(app, panel, stage):
    response = panel.send(f"{LIST}new/", login="nora", password=PASSWORD, status=302)
    assert response.location == f"http://localhost{LIST}details/?id={stage.rows(users)[1]['id']}"
    page = response.follow()
    assert "successfully created" in page.html.select_one(".message.success").get_text()
    assert page.html.h1.get_text(strip=True) == "nora"
    app.call("POST", "/api/login", {"login": "nora", "password": PASSWORD}, status=200)
    assert [found["is_admin"] for found in stage.rows(users)] == [1, 0]


def test_create_an_administrator(app, panel):
    panel.send(f"{LIST}new/", login="eve", password=PASSWORD, is_admin="y", status=302)
    logged_in(app, "eve").get(LIST, status=200)


def test_refusals_have_the_words_of_the_api(app, panel, owner):
    for body in (
        {"login": "", "password": "short"},
        {"login": "x" * 65, "password": "x" * 129},
        {"login": owner.login.upper(), "password": PASSWORD},
    ):
        told = app.call("POST", "/api/user", body, status="*")
        response = panel.send(f"{LIST}new/", **body, status=told.status_int)
        said = {error["name"]: error["description"] for error in told.json["errors"]}
        assert wrong(response) == said
        # What was typed stays, the password excepted.
        form = row_form(response)
        assert (form["login"].value, form["password"].value) == (body["login"], "")


def test_change_login(panel, stage, owner):
    panel.send(edit(owner), login="olga2", revision=1, status=302)
    assert row(stage, owner.id)["login"] == "olga2"
    taken = panel.send(edit(owner), login="ADA", revision=2, status=409)
    assert "another user has this login" in wrong(taken)["login"]
    assert wrong(panel.send(edit(owner), login="", status=400))["login"]
    assert row(stage, owner.id)["login"] == "olga2"


def test_an_unchanged_form_changes_nothing(panel, stage, owner):
    before = row(stage, owner.id)
    row_form(panel.get(edit(owner))).submit(status=302)
    assert row(stage, owner.id) == before


def test_a_form_that_somebody_else_was_faster_with(panel, stage, owner):
    first, late = (row_form(panel.get(edit(owner))) for _ in range(2))
    first["login"], late["login"] = "olga2", "olga3"
    first.submit(status=302)
    refused = late.submit(status=409)
    assert "changed meanwhile" in wrong(refused)[""]
    assert row_form(refused)["login"].value == "olga3"
    assert row(stage, owner.id)["login"] == "olga2"


def test_set_password(app, panel, owner):
    short = panel.send(edit(owner), login="olga", password="short", status=400)
    assert "8 to 128" in wrong(short)["password"]
    panel.send(edit(owner), login="olga", password="a new password", status=302)
    app.call("POST", "/api/login", {"login": "olga", "password": "a new password"}, status=200)
    app.call("GET", "/api/project", who=owner, status=401)


def test_role(panel, stage, owner):
    panel.send(edit(owner), login="olga", is_admin="y", revision=1, status=302)
    assert row(stage, owner.id)["is_admin"] == 1
    late = panel.send(edit(owner), login="olga", revision=1, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    assert row(stage, owner.id)["is_admin"] == 1
    panel.send(edit(owner), login="olga", revision=2, status=302)
    assert row(stage, owner.id)["is_admin"] == 0


def test_login_password_and_role_at_once(app, panel, stage, owner):
    form = row_form(panel.get(edit(owner)))
    form["login"], form["password"], form["is_admin"] = "olga2", "a new password", True
    form.submit(status=302)
    app.call("POST", "/api/login", {"login": "olga2", "password": "a new password"}, status=200)
    assert row(stage, owner.id)["is_admin"] == 1


def test_the_last_administrator_keeps_the_role(panel, stage, administrator):
    response = panel.send(edit(administrator), login="ada2", status=409)
    assert "the last administrator" in wrong(response)[""]
    assert row(stage, administrator.id)["is_admin"] == 1
    # Nothing of the form is kept where a part of it is refused.
    assert row(stage, administrator.id)["login"] == "ada"


def test_the_last_administrator_is_not_deleted(panel, stage, administrator, owner):
    said = panel.said(panel.act("user", "delete", administrator.id, owner.id))
    assert "the last administrator" in said
    assert "olga: in the trash" in said
    assert row(stage, administrator.id)["deleted_at"] is None


def test_two_administrators_cannot_remove_each_other_at_once(app, panel, stage, administrator):
    second = stage.user("second", is_admin=True)
    both = [logged_in(app, "ada"), logged_in(app, "second")]
    tokens = [each.csrf() for each in both]
    calls = [(both[0], tokens[0], second), (both[1], tokens[1], administrator)]

    def demote(each, token, user):
        fields = {"login": user.login, "csrf_token": token}
        return each.post(edit(user), fields, expect_errors=True)

    at_once(app, [lambda _, call=call: demote(*call) for call in calls])
    assert sum(found["is_admin"] for found in stage.rows(users)) == 1


def test_delete(panel, stage, owner, project):
    said = panel.said(panel.act("user", "delete", owner.id))
    assert "olga: in the trash, with all projects." in said
    assert row(stage, owner.id)["deleted_at"] is not None
    assert stage.rows(projects)[0]["deleted_at"] is not None
    gone = panel.get(f"{LIST}details/?id={owner.id}", status=302)
    assert "does not exist" in panel.said(gone)
    panel.act("user", "delete", owner.id)


def test_delete_several_and_take_it_back(panel, stage, owner, project):
    second = stage.user("second")
    page = panel.act("user", "delete", owner.id, second.id, 999_999).follow()
    form = page.html.select_one("form.message")
    assert "2 users: in the trash" in form.get_text()
    assert form["action"] == "/admin/trash/user/action/"
    assert names(page) == ["ada"]
    undo = next(form for form in page.forms.values() if form.action.endswith("/trash/user/action/"))
    back = undo.submit("action", status=302)
    assert back.location == f"http://localhost{LIST}"
    assert "2 users: restored." in panel.said(back)
    assert all(found["deleted_at"] is None for found in [*stage.rows(users), *stage.rows(projects)])


def test_relatives(panel, owner, project, other_project):
    page = panel.get(f"{LIST}details/?id={owner.id}")
    assert project.name in page
    assert other_project.name not in page
    assert names(page.click("All projects of olga")) == ["Zoo"]
    form = row_form(page.click("New project"))
    assert form["owner"].value == "olga"


def test_export(panel, owner):
    rows = exported(panel.get(f"{LIST}export/csv/?sort=0"))
    assert [(one["Login"], one["Role"]) for one in rows] == [("ada", "True"), ("olga", "False")]
    assert rows[1].keys() == {"Id", "Login", "Role", "Created", "Updated At"}


@pytest.mark.parametrize("row_id", ["999999", "0", "-1", "abc", "9" * 30, "", "%00"])
def test_nobody(panel, row_id):
    for page in ("details", "edit"):
        response = panel.get(f"{LIST}{page}/?id={row_id}", status=302)
        assert response.location == f"http://localhost{LIST}"


def test_only_administrators(app, owner):
    panel = logged_in(app, "olga")
    for page in ("", "new/", f"details/?id={owner.id}", f"edit/?id={owner.id}", "export/csv/"):
        response = panel.get(LIST + page, status=403)
        assert "you may not open this page" in response
    panel.act("user", "delete", owner.id, status=403)
    assert LIST not in panel.get("/admin/account/")
