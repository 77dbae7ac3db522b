"""The dashboard of the panel."""

import pytest

from ar_targets.admin.chart import draw, running_totals
from ar_targets.models import SCHEMA_REVISION

from ..panel import Panel
from ..pictures import CHINA


@pytest.fixture
def fresh(make_app, administrator):
    """A panel that has counted nothing yet."""
    made = Panel(make_app().app)
    made.log_in()
    return made


def tiles(page):
    return {
        tag.find(string=True, recursive=False).strip(): tag.strong.get_text()
        for tag in page.html.select(".tiles li > *")
    }


def test_counts(app, fresh, stage, owner, stranger, project, other_project, target):
    stage.target(other_project)
    stage.app(project)
    stage.expire(stage.app(project))
    app.call("DELETE", other_project.path, who=stranger, status=204)
    page = fresh.get("/admin/")
    assert tiles(page) == {
        "Users": "3",
        "Projects": "1",
        "Valid tokens": "1",
        "Image targets": "1",
        "Storage of images": f"{2 * len(CHINA) / 1000:.1f} KB",
    }
    assert page.html.select_one("figure svg")["aria-label"].endswith("in 30 days")


def test_nothing_yet(fresh):
    page = fresh.get("/admin/")
    assert tiles(page)["Image targets"] == "0"
    assert "None." in page


def test_what_expires_soon(fresh, stage, project, owner):
    soon, late, revoked = (stage.app(project, ttl=days * 86_400) for days in (2, 20, 3))
    stage.revoke(revoked)
    links = [tag["href"] for tag in fresh.get("/admin/").html.select(".rows a")]
    shown = [link for link in links if "/token/" in link]
    assert shown == [f"/admin/token/{project.id}/{soon.id}/"]
    assert f"/{late.id}/" not in shown[0][-4:]


def test_last_added_and_health(fresh, project, target, owner):
    page = fresh.get("/admin/")
    shown = [tag.get_text() for tag in page.html.select(".rows .name")]
    assert shown == ["a gate", "Zoo", "olga", "ada"]
    assert SCHEMA_REVISION in page.html.select_one("dl").get_text()
    assert "up to date" in page


def test_counts_are_kept_for_a_while(fresh, stage):
    before = tiles(fresh.get("/admin/"))
    stage.user("late")
    assert tiles(fresh.get("/admin/")) == before


def test_charts():
    assert running_totals(10, [0, 3, 2]) == [5, 8, 10]
    assert running_totals(1, [3, 0]) == [1, 1]
    chart = draw([0, 5, 10])
    assert chart.line == "0.0,160.0 300.0,80.0 600.0,0.0"
    assert (chart.low, chart.high) == (0, 10)
    assert draw([0, 0]).line == "0.0,160.0 600.0,160.0"
    assert draw([90, 100]).low == 90
