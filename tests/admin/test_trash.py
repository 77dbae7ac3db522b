"""The trash of the panel."""

import hashlib

import pytest

from ar_targets.admin import noun_view
from ar_targets.models import hard_delete
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.user import User

from ..panel import logged_in, names
from ..pictures import CHINA
from ..tables import project as projects
from ..tables import target as targets
from ..tables import token as tokens
from ..tables import user as users

TRASH = "/admin/trash/"
NOUNS = {"user": User, "project": Project, "target": Target}


def delete(stage, **rows):
    """Soft-delete rows, each by the name of its noun."""
    for noun, row in rows.items():
        stage.delete(NOUNS[noun], row.id)


def remove(panel, noun, *ids):
    """Remove rows for good, as the question's form does."""
    pairs = [("csrf_token", panel.csrf()), *(("rowid", str(row_id)) for row_id in ids)]
    return panel.post(f"{TRASH}{noun}/remove/", pairs, status=303)


def opened(panel):
    """The list that the menu's entry leads to."""
    return panel.get(TRASH, status=303).location.removeprefix("http://localhost")


def tabs(page):
    return [" ".join(tag.get_text(" ", strip=True).split()) for tag in page.html.select(".tabs a")]


def test_lists(panel, stage, stranger, project, target):
    delete(stage, target=target, project=project, user=stranger)
    assert names(panel.get(f"{TRASH}target/")) == ["a gate"]
    assert names(panel.get(f"{TRASH}project/")) == ["Zoo"]
    assert names(panel.get(f"{TRASH}user/")) == ["stefan"]
    panel.get(f"{TRASH}token/", status=404)


def test_numbers_on_tabs(app, panel, stage, owner, project, target):
    page = panel.get(f"{TRASH}target/")
    assert sorted(tabs(page)) == ["Projects 0", "Targets 0", "Users 0"]
    delete(stage, target=target, project=project)
    assert sorted(tabs(panel.get(f"{TRASH}target/"))) == ["Projects 1", "Targets 1", "Users 0"]
    current = panel.get(f"{TRASH}project/").html.select_one("[aria-current=page][href*=trash]")
    assert panel.get(f"{TRASH}project/").html.select_one(".tabs [aria-current]") is not None
    assert current is not None
    # Users are restored by administrators alone; a target comes back with its project first.
    assert sorted(tabs(logged_in(app, "olga").get(f"{TRASH}target/"))) == [
        "Projects 1",
        "Targets 0",
    ]


def test_it_opens_where_there_is_something(panel, stage, stranger, project, target):
    first = opened(panel)
    assert "Nothing of this kind is in the trash." in panel.get(first)
    delete(stage, user=stranger)
    assert opened(panel) == f"{TRASH}user/"
    delete(stage, project=project)
    assert opened(panel) == f"{TRASH}project/"
    assert names(panel.get(opened(panel))) == ["Zoo"]


def test_the_latest_deletion_first(panel, stage, owner):
    made = [stage.project(owner, name) for name in ("a", "b", "c")]
    for project in (made[1], made[2], made[0]):
        delete(stage, project=project)
    assert names(panel.get(f"{TRASH}project/")) == ["a", "c", "b"]
    heading = panel.get(f"{TRASH}project/").html.find("a", string="Deleted")
    assert names(panel.get(heading["href"])) == ["b", "c", "a"]


def test_pictures_of_deleted_targets(app, panel, stage, project, target):
    delete(stage, target=target)
    (picture,) = panel.get(f"{TRASH}target/").html.select("img.thumb")
    response = panel.get(picture["src"])
    assert response.content_type == "image/jpeg"
    assert len(response.body) < len(CHINA) / 10
    # Not by the address of those that live, nor with another checksum, nor for others.
    digest = hashlib.sha256(CHINA).hexdigest()
    panel.get(f"/admin/target/{target.id}/thumbnail/{digest}.jpg", status=404)
    panel.get(f"{TRASH}target/{target.id}/thumbnail/{'0' * 64}.jpg", status=404)
    panel.get(f"{TRASH}project/{target.id}/thumbnail/{digest}.jpg", status=404)
    stage.user("mallory")
    logged_in(app, "mallory").get(picture["src"], status=404)
    logged_in(app, "olga").get(picture["src"], status=200)
    panel.act("trash/target", "restore", target.id)
    panel.get(picture["src"], status=404)


def test_restore_a_project(app, panel, stage, project, target, write_token):
    delete(stage, project=project)
    response = panel.act("trash/project", "restore", project.id)
    assert response.location == f"http://localhost{TRASH}project/"
    assert "Zoo: restored." in panel.said(response)
    app.call("GET", target.path, who=write_token, status=200)


def test_restore_a_user_with_the_projects(app, panel, stage, owner, project):
    delete(stage, user=owner)
    assert "olga: restored." in panel.said(panel.act("trash/user", "restore", owner.id))
    app.call("GET", project.path, who=owner, status=200)


def test_restore_several_targets(app, panel, stage, project, target, write_token):
    second = stage.target(project)
    for one in (target, second):
        delete(stage, target=one)
    said = panel.said(panel.act("trash/target", "restore", target.id, second.id, 999_999))
    assert "2 targets: restored." in said
    for one in (target, second):
        app.call("GET", one.path, who=write_token, status=200)


def test_refused_as_by_the_script_and_nothing_is_changed(panel, stage, owner, stranger, project):
    delete(stage, user=owner)
    stage.project(stranger, "zOO")
    said = panel.said(panel.act("trash/user", "restore", owner.id))
    assert "the name of a project ('Zoo') has been taken meanwhile" in said
    (row,) = stage.rows(users, users.c.id == owner.id)
    assert row["deleted_at"] is not None


def test_a_row_that_is_refused_keeps_no_other_from_being_restored(panel, stage, owner, project):
    second = stage.project(owner, "Second")
    delete(stage, project=project)
    stage.delete(Project, second.id)
    stage.project(owner, "zoo")
    said = panel.said(panel.act("trash/project", "restore", project.id, second.id))
    assert "Zoo: " in said
    assert "taken meanwhile" in said
    assert "Second: restored." in said


def test_the_question_names_what_will_be_lost(panel, stage, owner, project, target):
    stage.target(project)
    stage.app(project)
    delete(stage, user=owner)

    def lost(noun, *ids):
        page = panel.act(f"trash/{noun}", "remove", *ids, status=200)
        assert "This cannot be undone." in page
        return [tag.get_text(" ", strip=True) for tag in page.html.select("form.edge li")]

    assert lost("user", owner.id) == ["olga with 1 project, 2 targets, 1 token"]
    assert lost("project", project.id) == ["Zoo with 2 targets, 1 token"]


def test_the_question_is_for_all_that_was_chosen(panel, stage, owner, project):
    second = stage.project(owner, "Second")
    delete(stage, project=project)
    stage.delete(Project, second.id)
    page = panel.act("trash/project", "remove", project.id, second.id, status=200)
    form = next(form for form in page.forms.values() if form.action == f"{TRASH}project/remove/")
    response = form.submit(status=303)
    said = panel.said(response)
    assert "Zoo: removed for good." in said
    assert "Second: removed for good." in said
    assert stage.rows(projects) == []
    assert panel.act("trash/project", "remove", status=302).location.endswith(f"{TRASH}project/")


@pytest.mark.parametrize("noun", ["user", "project", "target"])
def test_for_ever(panel, stage, owner, project, target, write_token, noun):
    other_project = stage.project(stage.user("other"), "other")
    kept = stage.target(other_project)
    made = {"user": owner, "project": project, "target": target}[noun]
    delete(stage, **{noun: made})
    assert "removed for good" in panel.said(remove(panel, noun, made.id))
    left = {table.name: {row["id"] for row in stage.rows(table)} for table in (projects, targets)}
    assert made.id not in left.get(noun, set())
    assert (target.id in left["target"], kept.id in left["target"]) == (False, True)
    assert (project.id in left["project"]) == (noun == "target")
    assert other_project.id in left["project"]
    assert bool(stage.rows(tokens)) == (noun == "target")
    assert (owner.id in {row["id"] for row in stage.rows(users)}) == (noun != "user")


@pytest.mark.parametrize("noun", ["user", "project", "target"])
def test_what_lives_is_never_removed(panel, stage, owner, project, target, write_token, noun):
    made = {"user": owner, "project": project, "target": target}[noun]
    panel.act(f"trash/{noun}", "remove", made.id, status=302)
    assert panel.said(remove(panel, noun, made.id)) == ""
    assert panel.said(panel.act(f"trash/{noun}", "restore", made.id)) == ""
    assert [len(stage.rows(table)) for table in (users, projects, targets, tokens)] == [2, 1, 1, 1]
    assert stage.rows(projects)[0]["purged_at"] is None


def test_a_large_removal_goes_on_later(panel, stage, project, monkeypatch):
    for _ in range(3):
        stage.target(project)
    delete(stage, project=project)
    monkeypatch.setattr(hard_delete, "TIME_LIMIT", -1.0)
    monkeypatch.setattr(hard_delete, "AT_ONCE", 1)
    assert "has begun" in panel.said(remove(panel, "project", project.id))
    assert len(stage.rows(targets)) == 2
    assert "being removed" in panel.get(f"{TRASH}project/")
    refused = panel.said(panel.act("trash/project", "restore", project.id))
    assert "is being removed for good" in refused
    monkeypatch.setattr(hard_delete, "TIME_LIMIT", 5.0)
    assert "removed for good" in panel.said(remove(panel, "project", project.id))
    assert stage.rows(projects) == []


def test_what_others_restore_and_remove(app, stage, owner, stranger, project, other_project):
    mine, shared = stage.target(project, name="mine"), stage.target(other_project, name="shared")
    hidden = stage.target(stage.project(stranger, "Hidden"), name="hidden")
    stage.share(other_project, owner, "editor")
    for one in (mine, shared, hidden):
        delete(stage, target=one)
    ids = [one.id for one in (mine, shared, hidden)]
    olga = logged_in(app, "olga")
    assert names(olga.get(f"{TRASH}target/")) == ["shared", "mine"]
    said = olga.said(remove(olga, "target", *ids))
    assert "shared: only the owner of its project removes it for good" in said
    assert "mine: removed for good." in said
    assert {row["id"] for row in stage.rows(targets)} == {shared.id, hidden.id}
    assert "shared: restored." in olga.said(olga.act("trash/target", "restore", *ids))
    assert names(olga.get(f"{TRASH}target/")) == []
    assert [row["id"] for row in stage.rows(targets) if row["deleted_at"]] == [hidden.id]


def test_a_viewer_restores_nothing(app, stage, project, target, viewer):
    delete(stage, target=target)
    victor = logged_in(app, "victor")
    assert names(victor.get(f"{TRASH}target/")) == []
    victor.act("trash/target", "restore", target.id)
    remove(victor, "target", target.id)
    assert stage.rows(targets)[0]["deleted_at"] is not None


def test_users_are_the_administrators(app, stage, owner, stranger):
    delete(stage, user=stranger)
    olga = logged_in(app, "olga")
    olga.get(f"{TRASH}user/", status=403)
    olga.act("trash/user", "restore", stranger.id, status=403)
    olga.send(f"{TRASH}user/remove/", rowid=str(stranger.id), status=403)
    assert len(stage.rows(users)) == 2
    # The first list is one that everybody has.
    olga.get(opened(olga), status=200)


def test_the_first_rows_of_many_projects(app, stage, owner, project, monkeypatch):
    second = stage.project(owner, "second")
    for number in range(4):
        delete(stage, target=stage.target(second if number % 2 else project, name=f"t{number}"))
    olga = logged_in(app, "olga")
    monkeypatch.setattr(noun_view.NounView, "page_size", 2)
    monkeypatch.setattr(noun_view, "DEEPEST", 3)
    page = olga.get(f"{TRASH}target/")
    assert names(page) == ["t3", "t2"]
    monkeypatch.setattr(noun_view.NounView, "page_size", 3)
    assert names(olga.get(page.html.find("a", string="Deleted")["href"])) == ["t0", "t1", "t2"]
