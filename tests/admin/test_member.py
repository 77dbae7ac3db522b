"""Members in the panel: with whom a project is shared, in which role, and how that ends."""

import pytest

from ar_targets.models import membership
from ar_targets.models.project import Project
from ar_targets.models.user import User

from ..panel import exported, logged_in, names, row_form, shown_count, wrong
from ..tables import member as members
from ..tables import token as tokens

LIST = "/admin/member/"


@pytest.fixture
def olga(app, owner):
    """``olga``, logged in, who owns ``project``."""
    return logged_in(app, "olga")


def row_of(stage, user):
    return next(row for row in stage.rows(members) if row["user_id"] == user.id)


def roles(stage):
    return {row["user_id"]: row["role"] for row in stage.rows(members)}


def edit(stage, user):
    return f"{LIST}edit/?id={row_of(stage, user)['id']}"


def logins(page):
    """The logins in a list, which are links where one may change the role."""
    return [row.select("td")[1].get_text() for row in page.html.select("tbody tr")]


def add(panel, login="stefan", status=302, **fields):
    typed = {"project": "Zoo", "login": login, "role": "viewer"} | fields
    return panel.send(f"{LIST}new/", **typed, status=status)


def test_list(app, panel, stage, project, other_project, editor, viewer):
    stage.share(other_project, editor, "viewer")
    assert logins(panel.get(LIST)) == ["edith", "victor", "edith"]
    assert logins(panel.get(f"{LIST}?sort=3")) == ["edith", "victor", "edith"]
    assert logins(panel.get(f"{LIST}?flt0_project_is=ZOO")) == ["victor", "edith"]
    assert logins(panel.get(f"{LIST}?flt1_login_is=EDITH")) == ["edith", "edith"]
    assert logins(panel.get(f"{LIST}?flt0_project_is=Zoo&flt1_login_is=victor")) == ["victor"]
    for query in ("flt0_project_is=nothing", "flt1_login_is=nobody"):
        page = panel.get(f"{LIST}?{query}")
        assert logins(page) == []
        assert "Nobody is a member." in page
    assert shown_count(panel.get(LIST)) == "3"


def test_what_is_deleted_is_not_shown(panel, stage, project, other_project, editor, viewer):
    stage.share(other_project, editor, "viewer")
    stage.delete(User, viewer.id)
    assert logins(panel.get(LIST)) == ["edith", "edith"]
    stage.delete(Project, project.id)
    assert logins(panel.get(LIST)) == ["edith"]


def test_what_others_see(app, stage, project, other_project, olga, owner, editor, viewer):
    """An owner sees all members, and a member the own membership."""
    stage.share(other_project, owner, "viewer")
    stage.share(other_project, editor, "viewer")
    assert logins(olga.get(LIST)) == ["olga", "victor", "edith"]
    # Members of one's own are links to the form of the role; one's own role is not.
    assert names_linked(olga.get(LIST)) == ["victor", "edith"]
    edith = logged_in(app, "edith")
    assert logins(edith.get(LIST)) == ["edith", "edith"]
    assert names_linked(edith.get(LIST)) == []
    assert logins(logged_in(app, "victor").get(LIST)) == ["victor"]
    assert [row["Login"] for row in exported(edith.get(f"{LIST}export/csv/"))] == ["edith"] * 2
    assert logins(edith.get(f"{LIST}?flt1_login_is=victor")) == []


def names_linked(page):
    return [tag.get_text() for tag in page.html.select("tbody a[href*='member/edit']")]


def test_add(app, olga, stage, project, stranger):
    stefan = logged_in(app, "stefan")
    assert names(stefan.get("/admin/project/")) == []
    response = add(olga, login="STEFAN")
    assert response.location == f"http://localhost/admin/project/details/?id={project.id}"
    assert "successfully created" in olga.said(response)
    assert roles(stage) == {stranger.id: "viewer"}
    assert names(stefan.get("/admin/project/")) == ["Zoo"]


def test_from_the_page_of_a_project(app, olga, project, editor):
    page = olga.get(f"/admin/project/details/?id={project.id}")
    section = next(one for one in page.html.select("section") if one.h2.get_text() == "Members")
    assert [tag.get_text() for tag in section.select(".name, .badge")] == ["edith", "editor"]
    assert row_form(page.click("Add a member"))["project"].value == "Zoo"
    assert logins(page.click("Change members")) == ["edith"]
    own = logged_in(app, "edith").get(f"/admin/project/details/?id={project.id}")
    assert "Add a member" not in own
    assert logins(own.click("Leave this project")) == ["edith"]


@pytest.mark.parametrize(
    ("fields", "status", "wrongs"),
    [
        ({"login": "nobody"}, 400, {"login": "there is no user with this login"}),
        ({"login": ""}, 400, {"login": "there is no user with this login"}),
        ({"project": "none"}, 400, {"project": "there is no project with this name"}),
        ({"project": "Museum"}, 400, {"project": "there is no project with this name"}),
        (
            {"project": "none", "login": "nobody"},
            400,
            {
                "login": "there is no user with this login",
                "project": "there is no project with this name",
            },
        ),
        ({"login": "victor"}, 409, {"login": "this user is a member already"}),
    ],
)
def test_refused(olga, stage, other_project, viewer, stranger, fields, status, wrongs):
    response = add(olga, **fields, status=status)
    assert wrong(response) == wrongs
    # What was typed stays.
    for name in {"login", "project"} & fields.keys():
        assert row_form(response)[name].value == fields[name]
    assert roles(stage) == {viewer.id: "viewer"}


@pytest.mark.parametrize("role", ["king", "", "owner"])
def test_roles_that_are_none(olga, stage, viewer, stranger, role):
    added = add(olga, role=role, status=400)
    changed = olga.send(edit(stage, viewer), role=role, status=400)
    for response in (added, changed):
        assert wrong(response)["role"] == "Not a valid choice."
    assert roles(stage) == {viewer.id: "viewer"}


def test_the_owner_is_no_member(app, panel, olga, stage, project, owner):
    body = {"login": "olga", "role": "viewer"}
    told = app.call("POST", project.members, body, who=owner, status=409)
    for each in (panel, olga):
        response = add(each, login="olga", status=409)
        assert wrong(response)["login"] == told.json["errors"][0]["description"]
    assert stage.rows(members) == []


def test_only_the_owner_shares_it(app, stage, project, editor, stranger):
    response = add(logged_in(app, "edith"), status=403)
    assert wrong(response) == {"project": "only its owner shares it"}
    assert roles(stage) == {editor.id: "editor"}


def test_change_the_role(app, olga, stage, project, viewer):
    form = row_form(olga.get(edit(stage, viewer)))
    assert form["role"].value == "viewer"
    form["role"] = "editor"
    response = form.submit(status=302)
    assert response.location == f"http://localhost/admin/project/details/?id={project.id}"
    assert roles(stage) == {viewer.id: "editor"}


def test_a_form_that_somebody_else_was_faster_with(olga, stage, project, viewer):
    first, late = (row_form(olga.get(edit(stage, viewer))) for _ in range(2))
    first["role"] = "editor"
    first.submit(status=302)
    refused = late.submit(status=409)
    assert "changed meanwhile" in wrong(refused)[""]
    assert roles(stage) == {viewer.id: "editor"}


def test_a_lower_role_revokes_what_it_does_not_allow(app, olga, stage, project, editor, target):
    writes, reads = stage.app(project, by=editor), stage.app(project, "read", by=editor)
    olga.send(edit(stage, editor), role="viewer", revision=1, status=302)
    assert {row["id"]: row["revoked_at"] is not None for row in stage.rows(tokens)} == {
        writes.id: True,
        reads.id: False,
    }
    app.call("GET", target.path, who=writes, status=401)
    app.call("GET", target.path, who=reads, status=200)


def test_remove(app, olga, stage, project, editor, viewer, stranger):
    stage.share(project, stranger, "viewer")
    theirs, own = stage.app(project, by=editor), stage.app(project)
    edith = logged_in(app, "edith")
    gone = [row_of(stage, user)["id"] for user in (editor, viewer)]
    said = olga.said(olga.act("member", "remove", *gone, 999_999))
    assert "2 members: no longer a member; the tokens are revoked." in said
    assert roles(stage) == {stranger.id: "viewer"}
    assert {row["id"]: row["revoked_at"] is not None for row in stage.rows(tokens)} == {
        theirs.id: True,
        own.id: False,
    }
    assert names(edith.get("/admin/project/")) == []
    edith.get(f"/admin/project/details/?id={project.id}", status=302)
    # Again: there is nothing left to say.
    assert olga.said(olga.act("member", "remove", *gone)) == ""
    add(olga, login="edith")


def test_a_membership_that_ends_meanwhile(olga, stage, project, editor, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(membership, "end", lambda *_: False)
        said = olga.said(olga.act("member", "remove", row_of(stage, editor)["id"]))
    assert "edith: " in said
    assert "changed meanwhile" in said
    assert roles(stage) == {editor.id: "editor"}


def test_leave(app, stage, project, editor, viewer):
    victor = logged_in(app, "victor")
    ids = [row_of(stage, user)["id"] for user in (viewer, editor)]
    said = victor.said(victor.act("member", "remove", *ids))
    assert "victor: no longer a member" in said
    # Of others nothing is seen.
    assert "edith" not in said
    assert roles(stage) == {editor.id: "editor"}


def test_nothing_is_deleted_beside_the_action(olga, stage, project, viewer):
    olga.send(f"{LIST}delete/", id=str(row_of(stage, viewer)["id"]), status=302)
    olga.get(f"{LIST}details/?id={row_of(stage, viewer)['id']}", status=302)
    assert roles(stage) == {viewer.id: "viewer"}


def test_export(panel, project, editor):
    (row,) = exported(panel.get(f"{LIST}export/csv/?flt0_project_is=Zoo"))
    assert (row["Project"], row["Login"], row["Role"]) == ("Zoo", "edith", "editor")
    assert row["Since"].endswith("Z")
