"""Project tokens in the panel."""

import pytest

from ..panel import exported, logged_in, names, row_form, shown_count, wrong
from ..tables import token as tokens

DAY = 86_400
LIST = "/admin/token/"


@pytest.fixture
def three(stage, project):
    """A valid, an expired and a revoked token."""
    made = {state: stage.app(project) for state in ("valid", "expired", "revoked")}
    stage.expire(made["expired"])
    stage.revoke(made["revoked"])
    return made


def create(panel, of, status=302, **fields):
    typed = {"project": of.name, "ttl": "1", "access": "read", "description": ""} | fields
    return panel.send(f"{LIST}new/", **typed, status=status)


def edit(token):
    return f"{LIST}edit/?id={token.id}"


def details(token):
    return f"{LIST}details/?id={token.id}"


def test_states_at_a_glance(panel, stage, project, three, other_token):
    def states(query=""):
        page = panel.get(LIST + query)
        return [tag.get_text() for tag in page.html.select("tbody .badge")]

    assert states() == ["valid", "revoked", "expired", "valid"]
    for state in three:
        assert {*states(f"?flt1_state_is={state}")} == {state}
    mine = "?flt0_project_is=Zoo"
    assert states(mine) == ["revoked", "expired", "valid"]
    assert states(f"{mine}&flt1_state_is=valid") == ["valid"]
    assert states(f"{mine}&flt2_access_is=read") == []
    stage.app(project, "read")
    assert states(f"{mine}&flt2_access_is=read&flt1_state_is=valid") == ["valid"]
    assert states("?sort=4")[0] == "expired"
    assert states("?sort=4&desc=1")[-1] == "expired"
    assert states("?flt0_project_is=nothing") == []
    assert shown_count(panel.get(LIST)) == "5"


def test_valid_tokens_by_their_expiry(panel, stage, project):
    late, soon = stage.app(project, ttl=900), stage.app(project, ttl=60)
    shown = names(panel.get(f"{LIST}?flt1_state_is=valid"))
    assert shown == [f"Token #{soon.id}", f"Token #{late.id}"]


def test_tokens_of_deleted_projects_are_not_shown(app, panel, project, owner, write_token):
    app.call("DELETE", project.path, who=owner, status=204)
    assert names(panel.get(LIST)) == []
    assert names(panel.get(f"{LIST}?flt1_state_is=valid")) == []
    panel.get(details(write_token), status=302)


def test_create_and_use(app, panel, stage, project, target):
    page = create(panel, project, description="kiosk", ttl="30").follow()
    assert page.html.h1.get_text(" ", strip=True) == "kiosk valid"
    jwt = page.html.select_one("#jwt").get_text()
    assert page.html.select_one("[data-copy]")["data-copy"] == jwt
    headers = {"Authorization": f"Bearer {jwt}"}
    app.get(target.path, headers=headers, status=200)
    app.delete(target.path, headers=headers, status=403)
    (row,) = stage.rows(tokens)
    assert (row["ttl"], row["access"], row["description"]) == (30 * DAY, "read", "kiosk")
    # An administrator's is the project's, as its owner's own.
    assert row["created_by"] is None
    assert names(panel.get(LIST)) == ["kiosk"]


def test_the_form_begins_with_the_project_and_the_default(make_app, panel, project):
    form = row_form(panel.get(f"{LIST}?flt0_project_is=Zoo").click("New token"))
    assert (form["project"].value, form["ttl"].value) == ("Zoo", "14")
    assert form["access"].value == "read"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"ttl": "0"}, "ttl"),
        ({"ttl": "366"}, "ttl"),
        ({"ttl": "1.5"}, "ttl"),
        ({"ttl": "²"}, "ttl"),
        ({"ttl": "9" * 40}, "ttl"),
        ({"ttl": ""}, "ttl"),
        ({"description": "x" * 256}, "description"),
        ({"project": "Nothing"}, "project"),
        ({"project": ""}, "project"),
        ({"access": "admin"}, "access"),
    ],
)
def test_refused(panel, stage, project, fields, name):
    response = create(panel, project, **fields, status=400)
    assert wrong(response)[name]
    assert stage.rows(tokens) == []


def test_everything_that_is_wrong_at_once(panel, project):
    response = create(panel, project, project="no", ttl="x", description="x" * 256, status=400)
    assert wrong(response).keys() == {"project", "ttl", "description"}
    assert row_form(response)["ttl"].value == "x"


def test_extend(app, panel, stage, project, three, target):
    expired = three["expired"]
    app.call("GET", target.path, who=expired, status=401)
    for ttl in ("0", "367", "soon", ""):
        assert wrong(panel.send(edit(expired), ttl=ttl, status=400))["ttl"]
    panel.send(edit(expired), ttl="3", revision=1, status=302)
    app.call("GET", target.path, who=expired, status=200)
    late = panel.send(edit(expired), ttl="3", revision=1, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    (row,) = [row for row in stage.rows(tokens) if row["id"] == expired.id]
    assert (row["ttl"], row["revision"]) == (3 * DAY, 2)


def test_a_form_that_somebody_else_was_faster_with(panel, write_token):
    first, late = (row_form(panel.get(edit(write_token))) for _ in range(2))
    first["ttl"], late["ttl"] = "5", "6"
    led = first.submit(status=302)
    assert led.location == f"http://localhost{details(write_token)}"
    refused = late.submit(status=409)
    assert "changed meanwhile" in wrong(refused)[""]
    assert row_form(refused)["ttl"].value == "6"


def test_a_revoked_token_stays_so(app, panel, project, owner, three):
    revoked = three["revoked"]
    told = app.call("PATCH", revoked.path, {"ttl": 60}, who=owner, status=409)
    response = panel.send(edit(revoked), ttl="3", status=409)
    assert wrong(response)[""] == told.json["errors"][0]["description"]
    page = panel.get(details(revoked))
    assert page.html.select_one("#jwt") is None
    assert "Extend" not in page


def test_revoke(app, panel, project, write_token, target):
    page = panel.get(details(write_token))
    (form,) = [form for form in page.forms.values() if form.action == f"{LIST}action/"]
    back = form.submit("action", status=302)
    assert back.location == f"http://localhost{details(write_token)}"
    assert f"Token #{write_token.id}: revoked, from this moment on." in panel.said(back)
    app.call("GET", target.path, who=write_token, status=401)
    # Again: there is nothing left to say.
    assert panel.said(panel.act("token", "revoke", write_token.id)) == ""


def test_revoke_several(app, panel, stage, project, three, target, other_token):
    again = stage.app(project)
    ids = [three["valid"].id, three["revoked"].id, again.id, 999_999]
    assert "2 tokens: revoked" in panel.said(panel.act("token", "revoke", *ids))
    for gone in (three["valid"], again):
        app.call("GET", target.path, who=gone, status=401)
    page = panel.get(f"{LIST}?flt1_state_is=valid")
    assert names(page) == [f"Token #{other_token.id}"]


def test_tokens_are_not_deleted(panel, stage, write_token):
    panel.act("token", "delete", write_token.id)
    panel.send(f"{LIST}delete/", id=str(write_token.id), status=302)
    (row,) = stage.rows(tokens)
    assert row["revoked_at"] is None


def test_the_owner_sees_all_of_a_project_and_a_member_the_own_ones(
    app, stage, project, owner, editor, other_token
):
    owners, editors = stage.app(project), stage.app(project, by=editor)
    olga, edith = logged_in(app, "olga"), logged_in(app, "edith")
    assert names(olga.get(LIST)) == [f"Token #{editors.id}", f"Token #{owners.id}"]
    assert names(edith.get(LIST)) == [f"Token #{editors.id}"]
    assert "edith, a member" in olga.get(details(editors))
    assert "the owner" in olga.get(details(owners))
    edith.get(details(owners), status=302)
    assert "revoked" not in edith.said(edith.act("token", "revoke", owners.id))
    assert "revoked" in olga.said(olga.act("token", "revoke", editors.id))
    assert [row["revoked_at"] is None for row in stage.rows(tokens)] == [True, True, False]


def test_a_viewer_makes_tokens_that_read(app, stage, project, viewer):
    victor = logged_in(app, "victor")
    refused = create(victor, project, access="write", status=403)
    assert "a viewer of the project makes tokens that read" in wrong(refused)["access"]
    create(victor, project, access="read")
    (row,) = stage.rows(tokens)
    assert (row["access"], row["created_by"]) == ("read", viewer.id)


def test_of_what_is_not_shared(app, stage, owner, project, other_project, other_token):
    olga = logged_in(app, "olga")
    refused = create(olga, other_project, status=400)
    assert "there is no project with this name" in wrong(refused)["project"]
    assert names(olga.get(f"{LIST}?flt0_project_is=Museum")) == []
    olga.get(details(other_token), status=302)
    olga.send(edit(other_token), ttl="3", status=302)
    olga.act("token", "revoke", other_token.id)
    (row,) = stage.rows(tokens)
    assert (row["revoked_at"], row["revision"]) == (None, 1)


def test_export(panel, project, three):
    rows = exported(panel.get(f"{LIST}export/csv/?flt1_state_is=revoked"))
    assert [(row["Id"], row["Project"], row["Access"]) for row in rows] == [
        (str(three["revoked"].id), "Zoo", "write")
    ]
    assert rows[0]["Revoked At"].endswith("Z")
    # No file has what would open a project.
    assert "eyJ" not in panel.get(f"{LIST}export/csv/")
