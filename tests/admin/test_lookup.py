"""Logins and names of projects that are offered while one types."""

import pytest

from ar_targets.models.project import Project
from ar_targets.models.user import User

from ..panel import Panel, logged_in

OWNER = "/admin/project/ajax/lookup/?name=owner&query="
PROJECT = "/admin/target/ajax/lookup/?name=project&query="


def offers(panel, url):
    """The texts that are offered."""
    pairs = panel.get(url, status=200).json
    assert all(key == text for key, text in pairs)
    return [text for _, text in pairs]


def test_logins(panel, stage):
    for login in ("olga", "Oleg", "bert", "o_o"):
        stage.user(login)
    assert offers(panel, f"{OWNER}ol") == ["Oleg", "olga"]
    assert offers(panel, f"{OWNER}OL") == ["Oleg", "olga"]
    assert offers(panel, f"{OWNER}ad") == ["ada"]
    assert offers(panel, f"{OWNER}o_") == ["o_o"]
    for typed in ("", "%20", "%25", "_", "lga", "x" * 300, "%00", "%F0%9F%98%80"):
        assert offers(panel, OWNER + typed) == [], typed
    assert offers(panel, "/admin/project/ajax/lookup/?name=owner") == []


def test_ten_at_most(panel, stage):
    for number in range(12):
        stage.user(f"u{number:02}")
    expected = [f"u{number:02}" for number in range(10)]
    assert offers(panel, f"{OWNER}u") == expected
    assert offers(panel, f"{OWNER}u&limit=1000&offset=5") == expected


def test_what_is_deleted_is_not_offered(panel, stage, owner, project):
    stage.delete(Project, project.id)
    stage.delete(User, owner.id)
    assert offers(panel, f"{OWNER}ol") == []
    assert offers(panel, f"{PROJECT}zo") == []


def test_projects_in_sight(app, panel, stage, owner, stranger, project, other_project):
    zebra = stage.project(stranger, "Zebra")
    zeppelin = stage.project(stranger, "Zeppelin")
    stage.share(zebra, owner, "viewer")
    olga = logged_in(app, "olga")
    assert offers(panel, f"{PROJECT}z") == ["Zebra", "Zeppelin", "Zoo"]
    assert offers(olga, f"{PROJECT}z") == ["Zebra", "Zoo"]
    assert offers(olga, f"{PROJECT}mus") == []
    stage.share(zeppelin, owner, "editor")
    assert offers(olga, f"{PROJECT}z") == ["Zebra", "Zeppelin", "Zoo"]


def test_administrators_are_offered_to_administrators(app, panel, owner, stranger):
    olga = logged_in(app, "olga")
    assert offers(olga, f"{OWNER}ste") == ["stefan"]
    assert offers(olga, f"{OWNER}ad") == []
    assert offers(panel, f"{OWNER}ad") == ["ada"]


def test_as_the_api_lists_users(make_app, administrator, owner, stranger, stage):
    """``user_access = self``: others than administrators are offered themselves alone."""
    stage.user("oleg")
    client = make_app(user_access="self")
    panels = {}
    for login in ("olga", "ada"):
        panels[login] = Panel(client.app)
        panels[login].log_in(login)
    assert offers(panels["olga"], f"{OWNER}o") == ["olga"]
    assert offers(panels["olga"], f"{OWNER}ste") == []
    assert offers(panels["ada"], f"{OWNER}o") == ["oleg", "olga"]


@pytest.mark.parametrize("name", ["", "nothing", "password", "project"])
def test_names_that_are_none(panel, name):
    panel.get(f"/admin/project/ajax/lookup/?name={name}&query=a", status=404)
    panel.get("/admin/project/ajax/lookup/?query=a", status=404)


@pytest.mark.parametrize(
    ("page", "name", "field"),
    [
        ("project/", "owner", "flt1_owner_is"),
        ("project/new/", "owner", "owner"),
        ("token/", "project", "flt0_project_is"),
        ("token/new/", "project", "project"),
        ("target/", "project", "flt0_project_is"),
        ("target/new/", "project", "project"),
        ("audit/", "login", "flt3_by_is"),
    ],
)
def test_fields_that_offer(panel, project, page, name, field):
    html = panel.get(f"/admin/{page}").html
    tag = html.find("input", {"name": field})
    assert tag["data-lookup"] == name
    typed = {"owner": "ol", "login": "ol", "project": "zo"}[name]
    assert offers(panel, f"{tag['data-lookup-url']}?name={name}&query={typed}") in (
        ["olga"],
        ["Zoo"],
    )
    (script,) = html.select("script[src*='/list.js']")
    assert panel.get(script["src"]).content_type == "text/javascript"
