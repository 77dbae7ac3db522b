"""The dashboard of the panel."""

import itertools
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import create_engine, update

from ar_targets import clock
from ar_targets.admin import dashboard
from ar_targets.admin.chart import draw, scale
from ar_targets.db.session import transaction_scope
from ar_targets.http import request_counter
from ar_targets.models import SCHEMA_REVISION, request_count
from ar_targets.models.project import Project
from ar_targets.models.request_count import Key
from ar_targets.models.target import Target
from ar_targets.telemetry.request_context import RequestContext

from ..panel import Panel, names
from ..pictures import CHINA, FLOWER
from ..ports import free_port
from ..tables import request_count as request_counts
from ..tables import target as targets


@pytest.fixture
def owners(app, owner):
    """``olga``, logged in."""
    made = Panel(app.app)
    made.log_in(owner.login)
    return made


def tiles(page):
    return {
        tag.find(string=True, recursive=False).strip(): tag.strong.get_text()
        for tag in page.html.select(".tiles li > *")
    }


def facts(page, heading):
    (card,) = [tag for tag in page.html.select(".card") if tag.h2 and tag.h2.text == heading]
    return {
        term.get_text(): term.find_next_sibling("dd").get_text(" ", strip=True)
        for term in card.select("dt")
    }


def bars(page):
    """Storage by project."""
    found = {}
    for row in page.html.select(".bars li"):
        name, size = row.find_all(["a", "span"], recursive=False)
        found[name.get_text()] = " ".join(size.get_text(" ", strip=True).split())
    return found


def curve(page, number):
    """The values of a chart's days."""
    return [tag.get_text() for tag in page.html.select("figure")[number].select("tbody td")]


def made_at(stage, target, days):
    at = clock.now() - timedelta(days=days)
    with stage.engine.begin() as connection:
        connection.execute(update(targets).where(targets.c.id == target.id).values(created_at=at))


def test_counts(app, panel, stage, owner, stranger, project, other_project, target):
    stage.target(other_project)
    stage.app(project)
    stage.expire(stage.app(project))
    app.call("DELETE", other_project.path, who=stranger, status=204)
    page = panel.get("/admin/")
    assert tiles(page) == {
        "Users": "3",
        "Projects": "1",
        "Image targets": "1",
        "Storage of images": f"{len(CHINA) / 1000:.1f} KB",
        "Valid tokens": "1",
    }


def test_users_count_what_they_see(
    owners, stage, owner, administrator, project, other_project, stranger
):
    stage.target(project)
    stage.target(other_project)
    shared = stage.project(stranger, "Shared")
    stage.share(shared, owner, "viewer")
    stage.target(shared, FLOWER)
    stage.app(project)
    stage.app(shared)
    page = owners.get("/admin/")
    assert tiles(page) == {
        "Projects": "2",
        "Image targets": "2",
        "Storage of images": f"{(len(CHINA) + len(FLOWER)) / 1000:.1f} KB",
        "Valid tokens": "1",
    }
    assert "Health" not in page
    assert "Museum" not in page
    shown = [tag.get_text() for tag in page.html.select(".bars .name")]
    assert sorted(shown) == ["Shared", "Zoo"]


def test_tokens_are_those_of_their_list(owners, stage, owner, project, stranger):
    """Of the own projects all, of shared ones those that the member has made."""
    shared = stage.project(stranger, "Shared")
    stage.share(shared, owner, "editor")
    mine = [stage.app(project), stage.app(shared, by=owner), stage.app(shared, "read", by=owner)]
    stage.app(shared)
    stage.app(stage.project(stranger, "Unseen"))
    page = owners.get("/admin/")
    assert tiles(page)["Valid tokens"] == str(len(mine))
    (link,) = [tag["href"] for tag in page.html.select(".tiles a") if "token" in tag["href"]]
    assert len(names(owners.get(link))) == len(mine)
    (link,) = [tag["href"] for tag in page.html.select("dd a") if "write" in tag["href"]]
    assert len(names(owners.get(link))) == 2
    assert facts(page, "Tokens by expiry")["May write"] == "2 valid"


def test_storage_by_project(panel, stage, owner, project, monkeypatch):
    monkeypatch.setattr(dashboard, "PROJECTS_SHOWN", 1)
    stage.target(project, FLOWER)
    one = bars(panel.get("/admin/"))
    assert one == {"Zoo": f"{len(FLOWER) / 1000:.1f} KB 1 target"}
    stage.target(stage.project(owner, "Garden"), CHINA)
    assert bars(panel.get("/admin/")) == {
        "Garden": f"{len(CHINA) / 1000:.1f} KB 1 target",
        "Other projects": f"{len(FLOWER) / 1000:.1f} KB",
    }


def test_each_change_is_counted_at_once(panel, stage, owner):
    for number in range(1, 4):
        stage.project(owner, f"project {number}")
        assert tiles(panel.get("/admin/"))["Projects"] == str(number)


@pytest.fixture
def slow(monkeypatch):
    """Counting takes as long as the test says; the clock of what is kept is the test's."""
    monkeypatch.setattr(dashboard, "AT_ONCE", 0.2)
    now = [1000.0]
    monkeypatch.setattr(dashboard.time, "monotonic", lambda: now[0])
    counted = dashboard.count

    def count():
        now[0] += 5
        return counted()

    monkeypatch.setattr(dashboard, "count", count)
    return now


def test_counts_that_took_long_are_kept_until_a_change(panel, stage, owner, slow):
    def shown():
        return tiles(panel.get("/admin/"))["Projects"]

    assert shown() == "0"
    begun = slow[0]
    slow[0] += 250
    assert shown() == "0"
    assert slow[0] == begun + 250
    stage.project(owner, "Zoo")
    assert shown() == "1"
    # Not counting all the time where there is always something changing.
    stage.project(owner, "Garden")
    assert shown() == "1"
    slow[0] += 5
    assert shown() == "2"
    # Tokens expire without a change.
    begun = slow[0]
    slow[0] += 301
    shown()
    assert slow[0] == begun + 306


def test_counts_are_kept_by_time_without_a_trail(make_app, administrator, stage, owner, slow):
    panel = Panel(make_app(audit_days="0").app)
    panel.log_in()
    assert tiles(panel.get("/admin/"))["Projects"] == "0"
    stage.project(owner, "Zoo")
    slow[0] += 49
    assert tiles(panel.get("/admin/"))["Projects"] == "0"
    slow[0] += 2
    assert tiles(panel.get("/admin/"))["Projects"] == "1"


def test_one_set_of_rows_is_behind_total_and_curve(panel, stage, owner, project):
    page = panel.get("/admin/")
    assert curve(page, 0) == ["0"] * 30
    assert curve(page, 1) == ["0 bytes"] * 30
    gone_project = stage.project(owner, "Gone")
    made_at(stage, stage.target(gone_project), 3)
    made_at(stage, stage.target(project), 40)
    made_at(stage, stage.target(project), 2)
    gone = stage.target(project)
    stage.target(project, FLOWER)
    stage.delete(Target, gone.id)
    stage.delete(Project, gone_project.id)
    page = panel.get("/admin/")
    assert curve(page, 0) == ["1"] * 27 + ["2"] * 2 + ["3"]
    assert curve(page, 1)[-1] == tiles(page)["Storage of images"]
    assert curve(page, 0)[-1] == tiles(page)["Image targets"] == "3"


def test_what_to_do_first(owners, stage, owner):
    page = owners.get("/admin/")
    assert page.html.select_one(".first a")["href"] == "/admin/project/new/"
    command = page.html.select_one(".first .command").get_text()
    assert command.startswith('curl -H "Authorization: Bearer $token" http://localhost')
    assert command.endswith("/api/project/1/imagetarget")
    stage.project(owner, "Zoo")
    assert owners.get("/admin/").html.select_one(".first") is None


def test_tokens_by_expiry(panel, stage, project):
    for days in (0.5, 3, 20, 300):
        stage.app(project, "read", ttl=int(days * 86_400))
    stage.app(project, "write", ttl=86_400 * 2)
    stage.expire(stage.app(project))
    stage.revoke(stage.app(project))
    assert facts(panel.get("/admin/"), "Tokens by expiry") == {
        "Within a day": "1",
        "In 1 to 7 days": "2",
        "In 7 to 30 days": "1",
        "Later": "1",
        "Expired": "1",
        "May write": "1 valid",
    }


def test_what_expires_soon(panel, stage, project):
    soon, late, revoked = (stage.app(project, ttl=days * 86_400) for days in (2, 20, 3))
    stage.revoke(revoked)
    links = [tag["href"] for tag in panel.get("/admin/").html.select(".rows a")]
    shown = [link for link in links if "/token/" in link]
    assert shown == [f"/admin/token/details/?id={soon.id}"]
    assert late.id != soon.id


def test_last_added_and_health(panel, project, target, owner):
    page = panel.get("/admin/")
    shown = [tag.get_text() for tag in page.html.select(".rows .name")]
    assert shown == ["a gate", "Zoo", "olga", "ada"]
    assert SCHEMA_REVISION in facts(page, "Health")["Schema"]
    assert "Not counted" in page


def test_requests_of_the_last_day(make_app, administrator, stage, monkeypatch):
    monkeypatch.setattr(request_counter, "INTERVAL", -1.0)
    app = make_app(request_counts="on")
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    before = Key(hour - timedelta(hours=30), 2, 0)
    with transaction_scope(stage.engine) as db:
        request_count.add(db, {before: 1000})
    for _ in range(3):
        app.call("GET", administrator.path, who=administrator, status=200)
    app.call("GET", "/api/user/999999", who=administrator, status=404)
    # Neither of the API, nor one that has used the database.
    app.call("GET", "/health/live", status=200)
    panel = Panel(app.app)
    panel.log_in()
    shown = facts(panel.get("/admin/"), "Requests to the API, last 24 hours")
    assert shown["Requests"] == "4"
    assert shown["Errors"] == "0 of the server 5xx , 1 of clients 4xx"
    assert shown["Half within"].endswith(" ms")


def test_processes_add_to_the_same_rows(app, stage):
    key = Key(clock.now().replace(minute=0, second=0, microsecond=0), 5, 3)
    for _ in range(2):
        with transaction_scope(stage.engine) as db:
            request_count.add(db, {key: 7})
    (row,) = stage.rows(request_counts)
    assert (row["number"], row["status"], row["duration"]) == (14, 5, 3)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Eucla"])
def test_each_hour_has_rows_of_its_own_in_every_zone(zone, monkeypatch):
    """Also where the machine's clocks go forward (29 March) or back (25 October)."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        begun = datetime(2026, 1, 1)  # noqa: DTZ001  # naive, as all of them
        ids = [Key(begun + timedelta(hours=n), 2, 0).row_id for n in range(366 * 24)]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert ids[0] == 490_896 * 1000 + 200
    assert {later - earlier for earlier, later in itertools.pairwise(ids)} == {1000}


def test_a_day_of_requests_is_24_hours(stage):
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with transaction_scope(stage.engine) as db:
        request_count.add(db, {Key(hour - timedelta(hours=n), 2, 0): 1 for n in range(30)})
        assert request_count.traffic(db, hour - timedelta(hours=23)).requests == 24


def test_quantiles_of_durations(stage):
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with transaction_scope(stage.engine) as db:
        none = request_count.traffic(db, hour)
        assert (none.requests, none.median, none.slowest_twentieth) == (0, None, None)
        request_count.add(db, {Key(hour, 2, 3): 90, Key(hour, 4, 6): 6, Key(hour, 5, 13): 4})
        found = request_count.traffic(db, hour)
    assert found == (100, 6, 4, 0.01, 0.1)


def test_counts_that_cannot_be_stored_are_dropped(monkeypatch, caplog):
    """A request must not fail because its number is lost."""
    monkeypatch.setattr(request_counter, "INTERVAL", -1.0)
    nowhere = create_engine(f"mysql+pymysql://nobody@127.0.0.1:{free_port()}/nothing")
    counter = request_counter.RequestCounter(nowhere)
    noted = RequestContext("test")
    noted.route, noted.status, noted.statements = "/api/user", 200, 1
    counter.note(noted)
    assert "1 counts of requests are lost" in caplog.text
    nowhere.dispose()


def test_durations():
    assert request_count.duration_class(0.0005) == 0
    assert request_count.duration_class(0.0011) == 1
    assert request_count.duration_class(11) == len(request_count.BOUNDS)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 0), (0, 1), (0, 3), (0, 10), (90, 100), (0, 1000), (7, 7), (0, 123_456), (99, 10**13)],
)
def test_scales(low, high):
    found = scale(low, high)
    assert found[0] >= high
    assert found[-1] <= low
    assert len({above - below for above, below in itertools.pairwise(found)}) == 1
    assert 2 <= len(found) <= 6


def test_charts():
    chart = draw([0, 5, 10])
    assert chart.line.startswith("0.0,160.0 ")
    assert draw([0, 0]).line == "0.0,160.0 600.0,160.0"
