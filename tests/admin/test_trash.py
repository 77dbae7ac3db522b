"""The trash of the panel."""

import pytest

from ar_targets.models import hard_delete

from ..panel import names
from ..tables import project as projects
from ..tables import target as targets
from ..tables import token as tokens
from ..tables import user as users


def test_lists(app, panel, stage, owner, stranger, project, target, write_token):
    app.call("DELETE", target.path, who=write_token, status=204)
    app.call("DELETE", project.path, who=owner, status=204)
    app.call("DELETE", stranger.path, status=204)
    assert names(panel.get("/admin/trash/")) == ["Zoo"]
    assert names(panel.get("/admin/trash/?kind=target")) == ["a gate"]
    assert names(panel.get("/admin/trash/?kind=user")) == ["stefan"]
    assert names(panel.get("/admin/trash/?kind=token")) == ["Zoo"]


def test_restore_a_project(app, panel, owner, project, target, write_token):
    app.call("DELETE", project.path, who=owner, status=204)
    response = panel.send(f"/admin/trash/project/{project.id}/restore/", status=303)
    assert "is restored" in panel.said(response)
    app.call("GET", target.path, who=write_token, status=200)


def test_restore_a_user_with_the_projects(app, panel, owner, project):
    app.call("DELETE", owner.path, status=204)
    panel.send(f"/admin/trash/user/{owner.id}/restore/", status=303)
    app.call("GET", project.path, who=owner, status=200)


def test_restore_a_target(app, panel, project, target, write_token):
    app.call("DELETE", target.path, who=write_token, status=204)
    panel.send(f"/admin/trash/target/{target.id}/restore/", status=303)
    app.call("GET", target.path, who=write_token, status=200)


def test_refused_as_by_the_script_and_nothing_is_changed(
    app, panel, stage, owner, stranger, project
):
    app.call("DELETE", owner.path, status=204)
    stage.project(stranger, "zOO")
    said = panel.said(panel.send(f"/admin/trash/user/{owner.id}/restore/", status=303))
    assert "the name of a project ('Zoo') has been taken meanwhile" in said
    assert [row["deleted_at"] is None for row in stage.rows(users) if row["id"] == owner.id] == [
        False
    ]


def test_the_question_names_what_will_be_lost(app, panel, stage, owner, project, target):
    stage.target(project)
    stage.app(project)
    app.call("DELETE", owner.path, status=204)
    page = panel.get(f"/admin/trash/user/{owner.id}/")
    lost = [tag.get_text(" ", strip=True) for tag in page.html.select("form li")]
    assert lost == ["the user olga", "1 project", "2 targets", "1 token"]
    page = panel.get(f"/admin/trash/project/{project.id}/")
    lost = [tag.get_text(" ", strip=True) for tag in page.html.select("form.edge li")]
    assert lost == ["the project Zoo of olga", "2 targets", "1 token"]


@pytest.mark.parametrize("noun", ["user", "project", "target"])
def test_for_ever(panel, stage, owner, project, target, write_token, app, noun):
    other_project = stage.project(stage.user("other"), "other")
    kept = stage.target(other_project)
    made = {"user": owner, "project": project, "target": target}[noun]
    who = {"user": None, "project": owner, "target": write_token}[noun]
    app.call("DELETE", made.path, who=who, status=204)
    response = panel.send(f"/admin/trash/{noun}/{made.id}/remove/", status=303)
    assert "removed for good" in panel.said(response)
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
    panel.get(f"/admin/trash/{noun}/{made.id}/", status=404)
    panel.send(f"/admin/trash/{noun}/{made.id}/remove/", status=404)
    assert [len(stage.rows(table)) for table in (users, projects, targets, tokens)] == [2, 1, 1, 1]
    assert stage.rows(projects)[0]["purged_at"] is None


def test_a_large_removal_goes_on_later(app, panel, stage, owner, project, monkeypatch):
    for _ in range(3):
        stage.target(project)
    app.call("DELETE", project.path, who=owner, status=204)
    path = f"/admin/trash/project/{project.id}"
    monkeypatch.setattr(hard_delete, "TIME_LIMIT", -1.0)
    monkeypatch.setattr(hard_delete, "AT_ONCE", 1)
    assert "has begun" in panel.said(panel.send(f"{path}/remove/", status=303))
    assert len(stage.rows(targets)) == 2
    assert "being removed" in panel.get("/admin/trash/")
    refused = panel.said(panel.send(f"{path}/restore/", status=303))
    assert "is being removed for good" in refused
    monkeypatch.setattr(hard_delete, "TIME_LIMIT", 5.0)
    assert "removed for good" in panel.said(panel.send(f"{path}/remove/", status=303))
    assert stage.rows(projects) == []


def test_nothing_of_the_kind(panel):
    panel.get("/admin/trash/token/1/", status=404)
    panel.send("/admin/trash/token/1/restore/", status=404)
    panel.send("/admin/trash/token/1/remove/", status=404)
    assert "there is no project 77" in panel.said(
        panel.send("/admin/trash/project/77/restore/", status=303)
    )
