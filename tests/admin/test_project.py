"""Projects in the panel."""

import pytest

from ..panel import exported, logged_in, names, row_form, shown_count, wrong
from ..tables import project as projects

LIST = "/admin/project/"


def edit(project):
    return f"{LIST}edit/?id={project.id}"


def details(project):
    return f"{LIST}details/?id={project.id}"


def test_list(panel, stage, owner, stranger):
    for name in ("Zoo", "Aquarium", "zeppelin"):
        stage.project(owner, name)
    stage.project(stranger, "Zebra")
    assert names(panel.get(LIST)) == ["Zebra", "zeppelin", "Aquarium", "Zoo"]
    assert names(panel.get(f"{LIST}?sort=0")) == ["Aquarium", "Zebra", "zeppelin", "Zoo"]
    assert names(panel.get(f"{LIST}?sort=2")) == ["Zoo", "Aquarium", "zeppelin", "Zebra"]
    starts = "flt0_name_begins_with="
    assert names(panel.get(f"{LIST}?{starts}z")) == ["Zebra", "zeppelin", "Zoo"]
    assert names(panel.get(f"{LIST}?{starts}%25")) == []
    mine = f"{LIST}?flt1_owner_is=OLGA"
    assert names(panel.get(mine)) == ["zeppelin", "Aquarium", "Zoo"]
    assert names(panel.get(f"{mine}&sort=0&desc=1")) == ["Zoo", "zeppelin", "Aquarium"]
    assert names(panel.get(f"{mine}&{starts}ze")) == ["zeppelin"]
    assert names(panel.get(f"{LIST}?flt1_owner_is=nobody")) == []
    assert names(panel.get(f"{LIST}?flt2_whose_is=mine")) == []
    assert shown_count(panel.get(LIST)) == "4"


def test_what_others_see(app, stage, owner, stranger, project, other_project):
    shared = stage.project(stranger, "Shared")
    stage.share(shared, owner, "viewer")
    panel = logged_in(app, "olga")
    assert names(panel.get(LIST)) == ["Shared", "Zoo"]
    assert shown_count(panel.get(LIST)) == "2"
    assert names(panel.get(f"{LIST}?flt2_whose_is=mine")) == ["Zoo"]
    assert names(panel.get(f"{LIST}?flt2_whose_is=shared")) == ["Shared"]
    assert names(panel.get(f"{LIST}?flt1_owner_is=stefan")) == ["Shared"]
    assert "you are its viewer" in panel.get(details(shared))
    assert [one["Name"] for one in exported(panel.get(f"{LIST}export/csv/"))] == ["Shared", "Zoo"]
    gone = panel.get(details(other_project), status=302)
    assert "does not exist" in panel.said(gone)


def test_create_for_an_owner(app, panel, owner):
    response = panel.send(f"{LIST}new/", name="  Park ", owner="OLGA", status=302)
    assert "successfully created" in panel.said(response)
    found = app.call("GET", "/api/project", who=owner).json["items"]
    assert [item["name"] for item in found] == ["Park"]


def test_create_of_ones_own(app, owner, stranger):
    panel = logged_in(app, "olga")
    assert "owner" not in row_form(panel.get(f"{LIST}new/")).fields
    panel.send(f"{LIST}new/", name="Park", owner="stefan", status=302)
    found = app.call("GET", "/api/project", who=owner).json["items"]
    assert [item["name"] for item in found] == ["Park"]


def test_refusals(app, panel, owner, project):
    response = panel.send(f"{LIST}new/", name=" ", owner="nobody", status=400)
    told = app.call("POST", "/api/project", {"name": " "}, who=owner, status=400)
    assert wrong(response)["name"] == told.json["errors"][0]["description"]
    assert "no user with this login" in wrong(response)["owner"]
    assert row_form(response)["owner"].value == "nobody"
    taken = panel.send(f"{LIST}new/", name="zOO", owner="olga", status=409)
    told = app.call("POST", "/api/project", {"name": "zOO"}, who=owner, status=409)
    assert wrong(taken)["name"] == told.json["errors"][0]["description"]


def test_rename(panel, stage, project, other_project):
    panel.send(edit(project), name="Park", owner="olga", revision=1, status=302)
    assert stage.rows(projects)[0]["name"] == "Park"
    taken = panel.send(edit(project), name="museum", owner="olga", revision=2, status=409)
    assert "another project has this name" in wrong(taken)["name"]
    late = panel.send(edit(project), name="x", owner="olga", revision=1, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    assert (
        "characters" in wrong(panel.send(edit(project), name="", owner="olga", status=400))["name"]
    )
    assert stage.rows(projects)[0]["revision"] == 2


def test_a_form_that_somebody_else_was_faster_with(panel, stage, project):
    first, late = (row_form(panel.get(edit(project))) for _ in range(2))
    first["name"], late["name"] = "Park", "Garden"
    assert first.submit(status=302).location == f"http://localhost{details(project)}"
    refused = late.submit(status=409)
    assert "changed meanwhile" in wrong(refused)[""]
    assert row_form(refused)["name"].value == "Garden"
    assert stage.rows(projects)[0]["name"] == "Park"


def test_hand_over(app, panel, project, owner, stranger, write_token, target):
    assert row_form(panel.get(edit(project)))["owner"].value == "olga"
    nobody = panel.send(edit(project), name="Zoo", owner="nobody", status=400)
    assert "no user" in wrong(nobody)["owner"]
    late = panel.send(edit(project), name="Zoo", owner="stefan", revision=9, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    panel.send(edit(project), name="Zoo", owner="stefan", revision=1, status=302)
    app.call("GET", project.path, who=owner, status=403)
    app.call("GET", project.path, who=stranger, status=200)
    app.call("GET", target.path, who=write_token, status=200)


def test_rename_and_hand_over_at_once(app, panel, stage, project, stranger):
    nobody = panel.send(edit(project), name="Park", owner="nobody", revision=1, status=400)
    assert wrong(nobody).keys() == {"owner"}
    assert stage.rows(projects)[0]["name"] == "Zoo"
    panel.send(edit(project), name="Park", owner="STEFAN", revision=1, status=302)
    assert app.call("GET", project.path, who=stranger).json["name"] == "Park"


def test_only_administrators_hand_over(app, project, owner, stranger):
    panel = logged_in(app, "olga")
    form = row_form(panel.get(edit(project)))
    assert "owner" not in form.fields
    panel.send(edit(project), name="Park", owner="stefan", revision=1, status=302)
    assert app.call("GET", project.path, who=owner).json["name"] == "Park"


def test_a_project_that_was_handed_over_goes_with_its_new_owner(
    app, panel, project, owner, stranger
):
    panel.send(edit(project), name="Zoo", owner="stefan", status=302)
    app.call("DELETE", owner.path, status=204)
    app.call("GET", project.path, who=stranger, status=200)
    app.call("DELETE", stranger.path, status=204)
    panel.get(details(project), status=302)


def test_delete(app, panel, project, write_token, target):
    said = panel.said(panel.act("project", "delete", project.id))
    assert "Zoo: in the trash, with tokens and targets." in said
    app.call("GET", target.path, who=write_token, status=401)
    for page in (
        details(project),
        f"/admin/target/details/?id={target.id}",
        f"/admin/token/details/?id={write_token.id}",
    ):
        panel.get(page, status=302)


def test_delete_several_and_take_it_back(app, panel, stage, owner, project, other_project):
    kept = stage.project(owner, "Kept")
    page = panel.act("project", "delete", project.id, other_project.id).follow()
    assert names(page) == ["Kept"]
    assert "2 projects: in the trash" in page.html.select_one("form.message").get_text()
    (undo,) = [
        form for form in page.forms.values() if form.action == "/admin/trash/project/action/"
    ]
    assert "2 projects: restored." in panel.said(undo.submit("action"))
    assert names(panel.get(LIST)) == ["Kept", "Museum", "Zoo"]
    app.call("GET", kept.path, who=owner, status=200)


def test_undo_is_for_those_who_may(app, project, other_project):
    panel = logged_in(app, "olga")
    said = panel.said(panel.act("project", "delete", project.id, other_project.id))
    assert "Zoo: in the trash" in said
    assert "Museum" not in said
    page = panel.get("/admin/trash/project/")
    assert names(page) == ["Zoo"]
    assert "Zoo: restored." in panel.said(panel.act("trash/project", "restore", project.id))


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_members_neither_change_nor_delete_it(app, stage, project, role):
    stage.member(project, "mona", role)
    panel = logged_in(app, "mona")
    page = panel.get(details(project))
    assert "Delete project" not in page
    assert (f"/admin/target/upload/{project.id}/" in page) == (role == "editor")
    panel.get(edit(project), status=403)
    panel.send(edit(project), name="Park", status=403)
    said = panel.said(panel.act("project", "delete", project.id))
    assert "only its owner may delete it" in said
    assert stage.rows(projects)[0]["deleted_at"] is None


def test_relatives(panel, project, write_token, target, other_token):
    page = panel.get(details(project))
    links = {tag["href"] for tag in page.html.select("a[href]")}
    assert f"/admin/target/details/?id={target.id}" in links
    assert f"/admin/token/details/?id={write_token.id}" in links
    assert f"/admin/token/details/?id={other_token.id}" not in links
    assert page.html.select_one("[data-copy]")["data-copy"] == write_token.token
    assert names(page.click("All targets of this project")) == ["a gate"]
    assert names(page.click("All tokens of this project")) == [f"Token #{write_token.id}"]
    assert row_form(page.click("New token"))["project"].value == "Zoo"


def test_targets_of_a_project_are_counted(panel, stage, project, other_project, monkeypatch):
    from ar_targets.admin import noun_view

    def count():
        return panel.get(details(project)).html.select_one("h2 .count").get_text(strip=True)

    stage.target(other_project)
    assert count() == "0"
    stage.target(project)
    stage.target(project)
    assert count() == "2"
    monkeypatch.setattr(noun_view, "COUNTED", 1)
    assert count() == "more than 1"


def test_export(panel, project, other_project):
    rows = exported(panel.get(f"{LIST}export/csv/?flt1_owner_is=olga"))
    assert [(one["Id"], one["Name"], one["Owner"]) for one in rows] == [
        (str(project.id), "Zoo", "olga")
    ]
    assert rows[0]["Created"].endswith("Z")
