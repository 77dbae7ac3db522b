"""Limits in the panel: what is refused, and who is near one."""

import pytest

from ar_targets.admin.template_filters import size
from ar_targets.models.target import Target

from ..panel import logged_in, wrong
from ..pictures import CHINA, FLOWER

JSON = "application/json"


@pytest.fixture
def limited(make_app, administrator):
    """The administrator's panel where little is allowed."""

    def make(**limits):
        return logged_in(make_app(**limits), "ada")

    return make


def test_one_project_too_many(limited, project):
    panel = limited(projects_per_user=1)
    refused = panel.send("/admin/project/new/", name="Park", owner="olga", status=409)
    assert "the limit of projects is 1 for a user, and there are 1" in wrong(refused)[""]
    panel.send("/admin/project/new/", name="Park", owner="ada", status=302)


def test_one_target_too_many(limited, project, target):
    panel = limited(targets_per_project=1)
    path, files = f"/admin/target/upload/{project.id}/", [("image", "china.jpg", CHINA)]
    refused = panel.send(path, files=files, accept=JSON, status=409)
    assert "the limit of image targets is 1" in refused.json["errors"][0]["description"]
    said = panel.said(panel.send(path, files=files, status=303))
    assert "china.jpg: the limit of image targets is 1 for a project, and there are 1" in said


def test_an_image_that_is_too_large(limited, stage, project):
    small = stage.target(project, FLOWER)
    panel = limited(bytes_per_user=len(CHINA) - 1)
    files = [("image", "china.jpg", CHINA)]
    path = f"/admin/target/edit/?id={small.id}"
    refused = panel.send(path, files=files, active="y", status=409)
    assert f"the limit of bytes is {len(CHINA) - 1} for a user" in wrong(refused)[""]
    panel.send(path, name="gate", active="y", status=302)


def test_moves(limited, stage, owner, stranger, project, target):
    """To another owner's project the bytes go along."""
    theirs = stage.project(stranger, "Theirs")
    stage.target(theirs, FLOWER)
    full = limited(targets_per_project=1)
    refused = full.send("/admin/target/move/", project="Theirs", rowid=str(target.id), status=303)
    assert "the limit of image targets is 1" in full.said(refused)
    full = limited(bytes_per_user=len(CHINA) + len(FLOWER) - 1)
    refused = full.send("/admin/target/move/", project="Theirs", rowid=str(target.id), status=303)
    assert f"this takes {len(CHINA)} more" in full.said(refused)
    mine = stage.project(owner, "Mine")
    moved = full.send("/admin/target/move/", project="Mine", rowid=str(target.id), status=303)
    assert f"1 moved to {mine.name}." in full.said(moved)


def test_a_project_is_handed_over_with_its_bytes(limited, stage, stranger, project, target):
    stage.target(stage.project(stranger, "Theirs"), FLOWER)
    path = f"/admin/project/edit/?id={project.id}"
    full = limited(projects_per_user=1)
    refused = full.send(path, name="Zoo", owner="stefan", status=409)
    assert "the limit of projects is 1" in wrong(refused)[""]
    full = limited(bytes_per_user=len(CHINA) + len(FLOWER) - 1)
    refused = full.send(path, name="Zoo", owner="stefan", status=409)
    assert f"this takes {len(CHINA)} more" in wrong(refused)[""]
    limited().send(path, name="Zoo", owner="stefan", status=302)


def uses(panel):
    """The rows of the dashboard's card about limits."""
    page = panel.get("/admin/").html
    card = next(
        card
        for card in page.select(".card")
        if card.h2 and card.h2.text in {"Limits", "Near a limit"}
    )
    return [" ".join(row.get_text(" ", strip=True).split()) for row in card.select("li")]


def test_who_is_near_a_limit(limited, stage, owner, stranger, project, target):
    panel = limited(projects_per_user=1, targets_per_project=1)
    assert uses(panel) == ["olga 1 of 1 projects", "Zoo 1 of 1 image targets"]
    olga, stefan = (logged_in(panel, login) for login in ("olga", "stefan"))
    assert [use.partition(" of ")[0] for use in uses(olga)] == [
        "Your projects 1",
        f"Stored in them {size(len(CHINA))}",
        "Zoo 1",
    ]
    assert uses(stefan)[0] == "Your projects 0 of 1 projects"
    assert uses(limited()) == []


def test_what_a_project_uses(limited, stage, project, target):
    stage.delete(Target, stage.target(project).id)
    page = limited(targets_per_project=500).get(f"/admin/project/details/?id={project.id}")
    assert "2 of 500 image targets" in page
