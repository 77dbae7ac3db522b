"""Users in the panel."""

import pytest

from ..actors import PASSWORD
from ..client import at_once
from ..panel import Panel, names, wrong
from ..tables import project as projects
from ..tables import user as users


def row(stage, user_id):
    return next(found for found in stage.rows(users) if found["id"] == user_id)


def test_list_search_filter_sort(panel, stage):
    for login in ("olga", "Oleg", "bert", "anna"):
        stage.user(login)
    assert names(panel.get("/admin/user/")) == ["anna", "bert", "Oleg", "olga", "ada"]
    assert names(panel.get("/admin/user/?order=login")) == ["ada", "anna", "bert", "Oleg", "olga"]
    assert names(panel.get("/admin/user/?order=login&reverse=1"))[0] == "olga"
    assert names(panel.get("/admin/user/?q=ol")) == ["Oleg", "olga"]
    assert names(panel.get("/admin/user/?q=OL&role=user")) == ["Oleg", "olga"]
    assert names(panel.get("/admin/user/?role=admin")) == ["ada"]
    assert names(panel.get("/admin/user/?role=admin&q=b")) == []
    assert names(panel.get("/admin/user/?role=user")) == ["anna", "bert", "Oleg", "olga"]
    assert names(panel.get("/admin/user/?q=%25")) == []
    assert "5" in panel.get("/admin/user/").html.select_one(".count").get_text()


def test_jump_to_an_id(panel, owner):
    assert panel.get(f"/admin/user/?q=%23{owner.id}").location.endswith(f"/admin/user/{owner.id}/")


def test_create(app, panel, stage):
    response = panel.send("/admin/user/new/", login="nora", password=PASSWORD, status=303)
    assert "nora is created" in panel.said(response)
    app.call("POST", "/api/login", {"login": "nora", "password": PASSWORD}, status=200)
    assert [found["is_admin"] for found in stage.rows(users)] == [1, 0]


def test_create_an_administrator(app, panel):
    panel.send("/admin/user/new/", login="eve", password=PASSWORD, is_admin="1", status=303)
    Panel(app.app).log_in("eve")


def test_refusals_have_the_words_of_the_api(app, panel, owner):
    for body in (
        {"login": "", "password": "short"},
        {"login": "x" * 65, "password": "x" * 129},
        {"login": owner.login.upper(), "password": PASSWORD},
    ):
        told = app.call("POST", "/api/user", body, status="*")
        response = panel.send("/admin/user/new/", **body, status=told.status_int)
        said = {error["name"]: error["description"] for error in told.json["errors"]}
        assert wrong(response) == said


def test_change_login(panel, stage, owner):
    path = f"/admin/user/{owner.id}/login/"
    panel.send(path, login="olga2", revision=1, status=303)
    assert row(stage, owner.id)["login"] == "olga2"
    late = panel.send(path, login="olga3", revision=1, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    taken = panel.send(path, login="ADA", revision=2, status=409)
    assert "another user has this login" in wrong(taken)["login"]
    assert wrong(panel.send(path, login="", status=400))["login"]
    assert row(stage, owner.id)["login"] == "olga2"


def test_set_password(app, panel, owner):
    path = f"/admin/user/{owner.id}/password/"
    assert "8 to 128" in wrong(panel.send(path, password="short", status=400))["password"]
    panel.send(path, password="a new password", status=303)
    app.call("POST", "/api/login", {"login": "olga", "password": "a new password"}, status=200)
    app.call("GET", "/api/project", who=owner, status=401)


def test_role(panel, stage, owner, administrator):
    path = f"/admin/user/{owner.id}/role/"
    panel.send(path, is_admin="1", revision=1, status=303)
    assert row(stage, owner.id)["is_admin"] == 1
    assert "changed meanwhile" in wrong(panel.send(path, is_admin="0", revision=1, status=409))[""]
    panel.send(path, is_admin="0", revision=2, status=303)
    assert row(stage, owner.id)["is_admin"] == 0


@pytest.mark.parametrize("act", ["role", "delete"])
def test_the_last_administrator_stays(panel, stage, administrator, act):
    response = panel.send(f"/admin/user/{administrator.id}/{act}/", is_admin="0", status=409)
    assert "the last administrator" in wrong(response)[""]
    assert row(stage, administrator.id)["is_admin"] == 1
    assert row(stage, administrator.id)["deleted_at"] is None


def test_two_administrators_cannot_remove_each_other_at_once(app, panel, stage, administrator):
    second = stage.user("second", is_admin=True)
    both = [Panel(app.app), Panel(app.app)]
    both[0].log_in("ada")
    both[1].log_in("second")
    tokens = [each.csrf() for each in both]
    calls = [(both[0], tokens[0], second.id), (both[1], tokens[1], administrator.id)]

    def demote(each, token, user_id):
        fields = {"is_admin": "0", "csrf_token": token}
        return each.post(f"/admin/user/{user_id}/role/", fields, expect_errors=True)

    at_once(app, [lambda _, call=call: demote(*call) for call in calls])
    assert sum(found["is_admin"] for found in stage.rows(users)) == 1


def test_delete(panel, stage, owner, project):
    response = panel.send(f"/admin/user/{owner.id}/delete/", revision=1, status=303)
    assert "in the trash" in panel.said(response)
    assert row(stage, owner.id)["deleted_at"] is not None
    assert stage.rows(projects)[0]["deleted_at"] is not None
    panel.get(f"/admin/user/{owner.id}/", status=404)
    panel.send(f"/admin/user/{owner.id}/delete/", status=404)


def test_relatives(panel, owner, project, other_project):
    page = panel.get(f"/admin/user/{owner.id}/")
    assert project.name in page
    assert other_project.name not in page
    assert names(page.click("All projects of olga")) == ["Zoo"]


@pytest.mark.parametrize("path", ["999999/", "0/", "-1/", "abc/", "9" * 30 + "/"])
def test_nobody(panel, path):
    response = panel.get(f"/admin/user/{path}", status=404)
    assert "there is nothing at this path" in response
