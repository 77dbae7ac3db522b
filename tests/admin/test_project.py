"""Projects in the panel."""

from ..panel import names, wrong
from ..tables import project as projects


def test_list(panel, stage, owner, stranger):
    for name in ("Zoo", "Aquarium", "zeppelin"):
        stage.project(owner, name)
    stage.project(stranger, "Zebra")
    list_ = "/admin/project/"
    assert names(panel.get(list_)) == ["Zebra", "zeppelin", "Aquarium", "Zoo"]
    assert names(panel.get(f"{list_}?order=name")) == ["Aquarium", "Zebra", "zeppelin", "Zoo"]
    assert names(panel.get(f"{list_}?q=z")) == ["Zebra", "zeppelin", "Zoo"]
    mine = f"{list_}?owner={owner.id}"
    assert names(panel.get(mine)) == ["zeppelin", "Aquarium", "Zoo"]
    assert names(panel.get(f"{mine}&order=name&reverse=1")) == ["Zoo", "zeppelin", "Aquarium"]
    assert names(panel.get(f"{mine}&q=ze")) == ["zeppelin"]
    panel.get(f"{list_}?owner=999999", status=404)
    assert panel.get(f"{list_}?q=%231").location.endswith("/admin/project/1/")


def test_create_for_an_owner(app, panel, owner):
    response = panel.send("/admin/project/new/", name="  Park ", owner="OLGA", status=303)
    assert "Park is created" in panel.said(response)
    found = app.call("GET", "/api/project", who=owner).json["items"]
    assert [item["name"] for item in found] == ["Park"]


def test_refusals(app, panel, owner, project):
    response = panel.send("/admin/project/new/", name=" ", owner="nobody", status=400)
    told = app.call("POST", "/api/project", {"name": " "}, who=owner, status=400)
    assert wrong(response)["name"] == told.json["errors"][0]["description"]
    assert "no user with this login" in wrong(response)["owner"]
    taken = panel.send("/admin/project/new/", name="zOO", owner="olga", status=409)
    told = app.call("POST", "/api/project", {"name": "zOO"}, who=owner, status=409)
    assert wrong(taken)["name"] == told.json["errors"][0]["description"]


def test_rename(panel, stage, project, other_project):
    path = f"/admin/project/{project.id}/name/"
    panel.send(path, name="Park", revision=1, status=303)
    assert stage.rows(projects)[0]["name"] == "Park"
    assert (
        "another project has this name"
        in wrong(panel.send(path, name="museum", revision=2, status=409))["name"]
    )
    assert "changed meanwhile" in wrong(panel.send(path, name="x", revision=1, status=409))[""]
    assert "characters" in wrong(panel.send(path, name="", status=400))["name"]


def test_hand_over(app, panel, project, owner, stranger, write_token, target):
    path = f"/admin/project/{project.id}/owner/"
    assert "no user" in wrong(panel.send(path, owner="nobody", status=400))["owner"]
    assert (
        "changed meanwhile" in wrong(panel.send(path, owner="stefan", revision=9, status=409))[""]
    )
    panel.send(path, owner="stefan", revision=1, status=303)
    app.call("GET", project.path, who=owner, status=403)
    app.call("GET", project.path, who=stranger, status=200)
    app.call("GET", target.path, who=write_token, status=200)


def test_a_project_that_was_handed_over_goes_with_its_new_owner(
    app, panel, project, owner, stranger
):
    panel.send(f"/admin/project/{project.id}/owner/", owner="stefan", status=303)
    app.call("DELETE", owner.path, status=204)
    app.call("GET", project.path, who=stranger, status=200)
    app.call("DELETE", stranger.path, status=204)
    panel.get(f"/admin/project/{project.id}/", status=404)


def test_delete(app, panel, project, write_token, target):
    response = panel.send(f"/admin/project/{project.id}/delete/", revision=1, status=303)
    assert "in the trash" in panel.said(response)
    app.call("GET", target.path, who=write_token, status=401)
    panel.get(f"/admin/project/{project.id}/", status=404)
    panel.get(f"/admin/target/{project.id}/{target.id}/", status=404)
    panel.get(f"/admin/token/{project.id}/{write_token.id}/", status=404)


def test_late_delete(panel, project):
    response = panel.send(f"/admin/project/{project.id}/delete/", revision=7, status=409)
    assert "changed meanwhile" in wrong(response)[""]


def test_relatives(panel, project, write_token, target, other_token):
    page = panel.get(f"/admin/project/{project.id}/")
    assert f"/admin/target/{project.id}/{target.id}/" in page
    assert f"/admin/token/{project.id}/{write_token.id}/" in page
    assert f"/{other_token.id}/" not in page.text.split("/admin/token/", 1)[1].split('"')[0]
