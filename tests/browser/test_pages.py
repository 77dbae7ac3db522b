"""Every page: it fits the screen, its console is silent, and axe-core finds nothing."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from ..actors import User
from ..judged import BLURRED, FLAT, judge
from ..tables import member
from .conftest import Watched, log_in

PAGES = [
    "",
    "account/",
    "project/",
    "project/?flt0_name_begins_with=nothing",
    "project/new/",
    "project/details/?id={project.id}",
    "token/",
    "token/?flt1_state_is=revoked",
    "token/new/?project=Zoo",
    "target/",
    "target/?flt0_project_is=Zoo",
    "target/?look=gallery",
    "target/new/",
    "target/details/?id={target.id}",
    "target/?flt2_rating_is=weak",
    "check/",
    "member/",
    "member/new/?project=Zoo",
    "audit/",
    "trash/",
    "trash/project/",
]
# Those that differ by the role in the project; of those who may change its targets; of its owner.
SHARED = [
    "",
    "project/details/?id={project.id}",
    "token/",
    "target/?flt0_project_is=Zoo",
    "target/details/?id={target.id}",
    "member/",
    "trash/target/",
    "audit/",
]
EDITORS = ["target/edit/?id={target.id}"]
OWNERS = [
    "project/edit/?id={project.id}",
    "token/details/?id={write_token.id}",
    "token/edit/?id={write_token.id}",
    "member/edit/?id={editors_member}",
]
ADMINISTRATORS = [
    "user/",
    "user/new/",
    "user/details/?id={owner.id}",
    "user/edit/?id={owner.id}",
    "trash/user/",
]
# Role → login, and pages.
CALLERS = {
    "viewer": ("victor", SHARED),
    "editor": ("edith", [*SHARED, *EDITORS]),
    "owner": ("olga", [*PAGES, *OWNERS]),
    "administrator": ("ada", [*PAGES, *EDITORS, *OWNERS, *ADMINISTRATORS]),
}
PHONE = 1000
BACKGROUND = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
LONG = "Wörter-ohne-Ende-" * 12


@pytest.fixture
def filled(app, stage, administrator, owner, project, write_token, editor, viewer):
    """Something on every page, some of it long."""
    target = stage.target(project, description="a gate")
    judge(stage, target, 2, BLURRED, FLAT)
    stage.revoke(stage.app(project, "read"))
    stage.expire(stage.app(project, "read"))
    stage.app(project, "read", by=viewer)
    stage.app(project, by=editor)
    stage.project(stage.user("L" * 64), LONG)
    stage.target(project, description=LONG)
    gone = stage.target(project, description=LONG)
    app.call("DELETE", gone.path, who=write_token, status=204)
    app.call("DELETE", stage.project(owner, "Old " + LONG).path, who=owner, status=204)
    members = {row["user_id"]: row["id"] for row in stage.rows(member)}
    return {
        "owner": owner,
        "project": project,
        "target": target,
        "write_token": write_token,
        "editors_member": members[editor.id],
    }


@pytest.mark.parametrize("role", CALLERS)
def test_pages(watched: Watched, filled, axe, role):
    login, pages = CALLERS[role]
    log_in(watched, login)
    found = {}
    for path in pages:
        page = watched.open("/admin/" + path.format(**filled))
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        faults = axe(page) + watched.faults + (["wider than the screen"] if wide > shown else [])
        if role == "administrator" and shown > PHONE:
            # The same in dark colours, at once. An administrator has all pages, and colours do not
            # depend on the width.
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            faults += [f"dark: {fault}" for fault in axe(page)]
            page.emulate_media(color_scheme="light")
        found |= {path: faults} if faults else {}
        watched.faults.clear()
    assert found == {}


def test_dark(inside: Watched):
    page = inside.open("/admin/project/")
    light = page.evaluate(BACKGROUND)
    page.emulate_media(color_scheme="dark")
    assert sum(page.evaluate(BACKGROUND)) < sum(light) / 4


def test_times_are_in_the_readers_zone(
    browser: Browser, address: str, stage, administrator, project
):
    context = browser.new_context(timezone_id="Australia/Eucla", locale="en-GB")
    watched = Watched(context.new_page(), address)
    log_in(watched)
    page = watched.open(f"/admin/project/details/?id={project.id}")
    time = page.locator("time").first
    made = datetime.fromisoformat(str(time.get_attribute("datetime")))
    there = made + timedelta(hours=8, minutes=45)
    expect(time).to_have_text(there.strftime("%d %b %Y, %H:%M"))
    expect(time).to_have_attribute("title", made.strftime("%Y-%m-%d %H:%M:%S UTC"))
    expect(page.get_by_text("Times are in Australia/Eucla")).to_be_visible()
    # Relative ones stay, and have their time in the title, too.
    page = watched.open("/admin/")
    added = page.locator(".rows time").first
    expect(added).to_have_text(re.compile("ago|just now"))
    expect(added).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d [\d:]{8} UTC$"))
    context.close()
    assert watched.faults == []


def test_questions(inside: Watched, filled, axe):
    """Pages that only a form leads to."""
    page = inside.open("/admin/target/")
    page.get_by_label("Select all rows").check()
    page.get_by_role("button", name="Move to another project").click()
    expect(page.get_by_role("heading", name="Move to another project")).to_be_visible()
    assert axe(page) == []
    inside.open("/admin/trash/target/")
    page.get_by_role("checkbox").last.check()
    page.get_by_role("button", name="Remove for good").click()
    expect(page.get_by_role("heading", name="Remove for good?")).to_be_visible()
    assert axe(page) == []


def test_login_page(watched: Watched, axe):
    assert axe(watched.open("/admin/login/")) == []


def test_password_link(inside: Watched, owner: User, axe):
    page = inside.open(f"/admin/user/details/?id={owner.id}")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Hand it to olga")
    expect(link).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == link.input_value()
    page = inside.open(copied.removeprefix(inside.address))
    assert axe(page) == []
    field = page.get_by_label("New password")
    field.fill("battery staple correct")
    assert field.get_attribute("type") == "password"
    page.get_by_label("Show the password").check()
    assert field.get_attribute("type") == "text"
    page.get_by_role("button", name="Set password").click()
    inside.told("Your password is set")
    assert inside.faults == []
    page = inside.open(copied.removeprefix(inside.address))
    expect(page.get_by_role("alert")).to_contain_text("Ask an administrator")
    assert axe(page) == []
    inside.expected(1)


def test_error_page(inside: Watched, axe):
    page = inside.open("/admin/nothing/")
    assert axe(page) == []
    inside.expected(1)


def test_what_was_refused(inside: Watched, axe):
    page = inside.open("/admin/project/new/")
    page.get_by_label("Name", exact=True).fill("x")
    page.get_by_label("Login of the owner").fill("nobody")
    with page.expect_navigation():
        page.get_by_role("button", name="Create project").click()
    field = page.get_by_label("Login of the owner")
    assert field.get_attribute("aria-invalid") == "true"
    assert axe(page) == []
    inside.expected(1)
