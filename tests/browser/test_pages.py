"""Every page: it fits the screen, its console is silent, and axe-core finds nothing."""

import pytest

from .conftest import Watched

PAGES = [
    "",
    "user/",
    "user/new/",
    "user/{owner.id}/",
    "project/",
    "project/new/",
    "project/{project.id}/",
    "token/",
    "token/?state=revoked",
    "token/{project.id}/new/",
    "token/{project.id}/{write_token.id}/",
    "target/",
    "target/?project={project.id}",
    "target/{project.id}/{target.id}/",
    "audit/",
    "trash/",
    "trash/?kind=target",
    "trash/target/{gone.id}/",
]
LONG = "Wörter-ohne-Ende-" * 12


@pytest.fixture
def filled(app, stage, owner, project, target, write_token):
    """Something on every page, some of it long."""
    stage.revoke(stage.app(project, "read"))
    stage.expire(stage.app(project, "read"))
    stage.project(stage.user("L" * 64), LONG)
    stage.target(project, description=LONG)
    gone = stage.target(project, description=LONG)
    app.call("DELETE", gone.path, who=write_token, status=204)
    app.call("DELETE", stage.project(owner, "Old " + LONG).path, who=owner, status=204)
    return {
        "owner": owner,
        "project": project,
        "target": target,
        "write_token": write_token,
        "gone": gone,
    }


def test_pages(inside: Watched, filled, axe):
    found = {}
    for path in PAGES:
        page = inside.open("/admin/" + path.format(**filled))
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        faults = axe(page) + inside.faults + (["wider than the screen"] if wide > shown else [])
        found |= {path: faults} if faults else {}
        inside.faults.clear()
    assert found == {}


def test_login_page(watched: Watched, axe):
    assert axe(watched.open("/admin/login/")) == []


def test_error_page(inside: Watched, axe):
    page = inside.open("/admin/user/999999/")
    assert axe(page) == []
    inside.expected(1)


def test_what_was_refused(inside: Watched, axe):
    page = inside.open("/admin/project/new/")
    page.get_by_label("Name").fill("x")
    page.get_by_label("Login of the owner").fill("nobody")
    with page.expect_navigation():
        page.get_by_role("button", name="Create project").click()
    field = page.get_by_label("Login of the owner")
    assert field.get_attribute("aria-invalid") == "true"
    assert axe(page) == []
    inside.expected(1)
