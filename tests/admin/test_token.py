"""Project tokens in the panel."""

import pytest

from ..panel import names, wrong
from ..tables import token as tokens

DAY = 86_400


@pytest.fixture
def three(stage, project):
    """A valid, an expired and a revoked token."""
    made = {state: stage.app(project) for state in ("valid", "expired", "revoked")}
    stage.expire(made["expired"])
    stage.revoke(made["revoked"])
    return made


def test_states_at_a_glance(panel, project, three, other_token):
    def states(query=""):
        page = panel.get(f"/admin/token/{query}")
        return [tag.get_text() for tag in page.html.select("tbody .badge")]

    assert states() == ["valid", "revoked", "expired", "valid"]
    for state in three:
        assert set(states(f"?state={state}")) == {state}
    mine = f"?project={project.id}"
    assert states(mine) == ["revoked", "expired", "valid"]
    assert states(f"{mine}&state=valid") == ["valid"]
    assert states(f"{mine}&access=read") == []
    assert states("?order=expires_at")[0] == "expired"


def test_search(panel, stage, project):
    for description in ("iPhone app", "kiosk 50%"):
        panel.send(
            f"/admin/token/{project.id}/new/", description=description, access="read", days="1"
        )
    assert names(panel.get("/admin/token/?q=phone")) == ["iPhone app"]
    assert names(panel.get("/admin/token/?q=%25")) == ["kiosk 50%"]
    assert names(panel.get(f"/admin/token/?project={project.id}&q=KIOSK")) == ["kiosk 50%"]


def test_tokens_of_deleted_projects_are_not_shown(app, panel, project, owner, write_token):
    app.call("DELETE", project.path, who=owner, status=204)
    assert names(panel.get("/admin/token/")) == []


def test_create_and_use(app, panel, stage, project, target):
    path = f"/admin/token/{project.id}/new/"
    response = panel.send(path, description="kiosk", access="read", days="30", status=303)
    page = response.follow()
    jwt = page.html.select_one("#jwt").get_text()
    assert page.html.select_one("[data-copy]")["data-copy"] == jwt
    headers = {"Authorization": f"Bearer {jwt}"}
    app.get(target.path, headers=headers, status=200)
    app.delete(target.path, headers=headers, status=403)
    (row,) = stage.rows(tokens)
    assert (row["ttl"], row["access"], row["description"]) == (30 * DAY, "read", "kiosk")


def test_the_list_has_the_same_jwt_to_copy(panel, project, write_token):
    page = panel.get(f"/admin/token/?project={project.id}")
    assert page.html.select_one("[data-copy]")["data-copy"] == write_token.token


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"days": "0"}, "days"),
        ({"days": "366"}, "days"),
        ({"days": "1.5"}, "days"),
        ({"days": "²"}, "days"),
        ({"days": "9" * 40}, "days"),
        ({"days": ""}, "days"),
        ({"description": "x" * 256}, "description"),
    ],
)
def test_refused(panel, stage, project, fields, name):
    typed = {"days": "1", "access": "read", "description": ""} | fields
    response = panel.send(f"/admin/token/{project.id}/new/", **typed, status=400)
    assert wrong(response)[name]
    assert stage.rows(tokens) == []


def test_an_access_that_is_none(panel, project):
    path = f"/admin/token/{project.id}/new/"
    panel.send(path, days="1", access="admin", description="", status=400)


def test_extend(app, panel, stage, project, three, target):
    expired = three["expired"]
    path = f"/admin/token/{project.id}/{expired.id}/extend/"
    app.call("GET", target.path, who=expired, status=401)
    assert wrong(panel.send(path, days="0", status=400))["days"]
    panel.send(path, days="3", revision=1, status=303)
    app.call("GET", target.path, who=expired, status=200)
    assert "changed meanwhile" in wrong(panel.send(path, days="3", revision=1, status=409))[""]


def test_a_revoked_token_stays_so(app, panel, project, owner, three):
    revoked = three["revoked"]
    path = f"/admin/token/{project.id}/{revoked.id}/extend/"
    told = app.call("PATCH", revoked.path, {"ttl": 60}, who=owner, status=409)
    response = panel.send(path, days="3", status=409)
    assert wrong(response)[""] == told.json["errors"][0]["description"]


def test_revoke(app, panel, project, write_token, target):
    path = f"/admin/token/{project.id}/{write_token.id}/revoke/"
    for _ in range(2):
        panel.send(path, status=303)
    app.call("GET", target.path, who=write_token, status=401)


def test_a_token_belongs_to_its_project(panel, other_project, write_token):
    panel.get(f"/admin/token/{other_project.id}/{write_token.id}/", status=404)
    panel.send(f"/admin/token/{other_project.id}/{write_token.id}/revoke/", status=404)
    panel.get("/admin/token/999999/new/", status=404)
