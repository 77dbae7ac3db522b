"""A day in the panel: upload, lists, tokens, members, trash, in and out."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ar_targets.images import process

from ..actors import PASSWORD
from ..pictures import CHINA, FLOWER, base64_of, drawn
from ..tables import project as projects
from ..tables import target as targets
from ..tables import thumbnail as thumbnails
from ..tables import token as tokens
from .conftest import Watched, log_in

LOADED = "images => images.length && images.every(i => i.complete && i.naturalWidth > 0)"


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """Two photographs on disk."""
    paths = [tmp_path / "china.jpg", tmp_path / "flower.jpg"]
    for path, data in zip(paths, (CHINA, FLOWER), strict=True):
        path.write_bytes(data)
    return paths


def all_loaded(page, selector: str) -> None:
    page.wait_for_function(f"() => ({LOADED})([...document.querySelectorAll('{selector}')])")


def confirm(page, name: str) -> None:
    """Answer the question that a button asks."""
    with page.expect_navigation():
        page.get_by_role("dialog").get_by_role("button", name=name).click()


def test_log_in_and_out(watched: Watched, administrator, owner):
    log_in(watched, "ada", "wrong password")
    expect(watched.page.get_by_role("alert")).to_have_text("wrong login or password")
    watched.expected(1)
    log_in(watched, owner.login)
    page = watched.page
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.go_back()
    page.goto(watched.address + "/admin/project/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_upload_by_the_file_picker(inside: Watched, stage, project, photographs):
    page = inside.open(f"/admin/project/details/?id={project.id}")
    page.locator("#upload").set_input_files(photographs)
    expect(page.locator(".uploads .stored")).to_have_count(2)
    all_loaded(page, ".grid img")
    assert page.locator(".grid img").count() == 2
    assert sorted(row["image"] for row in stage.rows(targets)) == sorted([CHINA, FLOWER])
    inside.open("/admin/target/?flt0_project_is=Zoo")
    all_loaded(page, "img.thumb")
    small = page.evaluate(
        "performance.getEntriesByType('resource').map(e => [e.name, e.decodedBodySize])"
    )
    assert all(size < len(FLOWER) / 5 for name, size in small if "/thumbnail/" in name)
    assert not [name for name, _ in small if "/image/" in name]


def test_pictures_that_are_not_drawn_yet_are_asked_for_again(inside: Watched, stage, project):
    for number in range(8):
        stage.target(project, CHINA + bytes([number]))
    with process.turn():
        page = inside.open("/admin/target/?flt0_project_is=Zoo")
        page.wait_for_function("() => document.querySelector('img.thumb[data-tries]')")
        assert stage.rows(thumbnails) == []
    # Those that are out of sight are loaded when they come into it.
    for picture in page.locator("img.thumb").all():
        picture.scroll_into_view_if_needed()
    all_loaded(page, "img.thumb")
    assert len(stage.rows(thumbnails)) == 8


def test_upload_by_dropping(inside: Watched, stage, project):
    page = inside.open(f"/admin/project/details/?id={project.id}")
    data = page.evaluate_handle(
        """([photograph, text]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(photograph), c => c.charCodeAt(0));
            transfer.items.add(new File([bytes], 'dropped.jpg', {type: 'image/jpeg'}));
            transfer.items.add(new File([text], 'notes.txt', {type: 'text/plain'}));
            return transfer;
        }""",
        [base64_of(drawn(size=(64, 64))), "no picture"],
    )
    page.dispatch_event(".drop", "dragover", {"dataTransfer": data})
    expect(page.locator(".drop")).to_contain_class("over")
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    expect(page.locator(".uploads .stored")).to_contain_text("dropped.jpg")
    refused = page.locator(".uploads .refused")
    expect(refused).to_contain_text("notes.txt")
    expect(refused).to_contain_text("it must be a whole JPEG")
    assert len(stage.rows(targets)) == 1
    inside.expected(1)


def test_tokens(inside: Watched, stage, project):
    page = inside.open(f"/admin/project/details/?id={project.id}")
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Description").fill("kiosk")
    expect(page.get_by_label("Access")).to_have_value("read")
    page.get_by_label("Days until it expires").fill("2")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".badge")).to_have_text("valid")
    page.wait_for_load_state("load")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    jwt = page.locator("#jwt").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == jwt
    page.get_by_role("link", name="Extend").click()
    page.get_by_label("Days from now").fill("90")
    page.get_by_role("button", name="Extend").click()
    inside.told("saved")
    assert stage.rows(tokens)[0]["ttl"] == 90 * 86_400
    assert page.locator("#jwt").input_value() == jwt
    page.get_by_role("button", name="Revoke token").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert stage.rows(tokens)[0]["revoked_at"] is None
    page.get_by_role("button", name="Revoke token").click()
    confirm(page, "Revoke token")
    expect(page.locator(".badge")).to_have_text("revoked")
    assert stage.rows(tokens)[0]["revoked_at"] is not None


def test_delete_undo_delete_and_restore_a_project(watched: Watched, stage, owner, project, target):
    log_in(watched, owner.login)
    page = watched.open(f"/admin/project/details/?id={project.id}")
    for _ in range(2):
        page.get_by_role("button", name="Delete project").click()
        confirm(page, "Delete project")
        watched.told("Zoo: in the trash")
        assert stage.rows(projects)[0]["deleted_at"] is not None
        with page.expect_navigation():
            page.get_by_role("button", name="Undo").click()
        watched.told("Zoo: restored")
        assert stage.rows(projects)[0]["deleted_at"] is None
        watched.open(f"/admin/project/details/?id={project.id}")
    page.get_by_role("button", name="Delete project").click()
    confirm(page, "Delete project")
    page.get_by_role("link", name="Trash").click()
    # The list in which there is something.
    expect(page.get_by_role("link", name="Projects 1")).to_have_attribute("aria-current", "page")
    page.get_by_label("Select Zoo").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Restore").click()
    watched.told("Zoo: restored")
    assert stage.rows(projects)[0]["deleted_at"] is None


def test_remove_targets_for_good(inside: Watched, stage, project):
    for number in range(3):
        stage.target(project, name=f"poster {number}")
    page = inside.open("/admin/target/")
    delete = page.get_by_role("button", name="Delete")
    expect(delete).to_be_disabled()
    page.get_by_label("Select all rows").check()
    page.get_by_label("Select poster 1").uncheck()
    expect(page.get_by_text("2 chosen:")).to_be_visible()
    delete.click()
    confirm(page, "Delete")
    inside.told("2 targets: in the trash")
    inside.open("/admin/trash/")
    all_loaded(page, "img.thumb")
    page.get_by_label("Select all rows").check()
    page.get_by_role("button", name="Remove for good").click()
    expect(page.get_by_role("listitem").filter(has_text="poster 2")).to_be_visible()
    page.get_by_role("button", name="Remove for good").click()
    inside.told("removed for good")
    assert [row["name"] for row in stage.rows(targets)] == ["poster 1"]


def test_gallery(inside: Watched, stage, owner, project):
    stage.project(owner, "Museum")
    for number in range(3):
        stage.target(project, name=f"poster {number}")
    page = inside.open("/admin/target/")
    page.get_by_role("link", name="Gallery").click()
    all_loaded(page, ".grid img")
    page.get_by_label("Select poster 0").check()
    page.get_by_role("button", name="Move to another project").click()
    page.get_by_label("Project").press_sequentially("Mu")
    expect(page.locator("datalist option")).to_have_count(1)
    page.get_by_label("Project").fill("Museum")
    page.get_by_role("button", name="Move", exact=True).click()
    inside.told("1 moved to Museum")
    expect(page.locator("tbody .name").first).to_have_text("poster 0")


def test_members(watched: Watched, stage, owner, stranger, project):
    """An owner shares a project; the member makes a token, and is out when the role ends."""
    log_in(watched, owner.login)
    page = watched.open(f"/admin/project/details/?id={project.id}")
    page.get_by_role("link", name="Add a member").click()
    # What is typed before the script is there brings no offers.
    page.wait_for_load_state()
    page.get_by_label("Login").press_sequentially("ste")
    expect(page.locator("datalist option")).to_have_count(1)
    page.get_by_label("Login").fill(stranger.login)
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Create member").click()
    watched.told("created")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    log_in(watched, stranger.login)
    watched.open("/admin/project/")
    page.get_by_role("link", name="Zoo").click()
    expect(page.get_by_text("you are its viewer")).to_be_visible()
    expect(page.locator(".drop")).to_have_count(0)
    page.get_by_role("link", name="New token").click()
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".badge")).to_have_text("valid")
    watched.open("/admin/member/")
    page.get_by_label("Select stefan").check()
    page.get_by_role("button", name="Remove").click()
    confirm(page, "Remove")
    watched.told("stefan: no longer a member")
    assert stage.rows(tokens)[0]["revoked_at"] is not None
    watched.open("/admin/project/")
    expect(page.get_by_text("No project is found.")).to_be_visible()


def test_change_the_password(watched: Watched, owner):
    log_in(watched, owner.login)
    page = watched.open("/admin/account/")
    page.get_by_label("Current password").fill("wrong password")
    page.get_by_label("New password").fill("battery staple correct")
    with page.expect_navigation():
        page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("this is not your password")).to_be_visible()
    watched.expected(1)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill("battery staple correct")
    page.get_by_role("button", name="Change password").click()
    watched.told("Your password is changed")
    page.get_by_role("button", name="Log out").click()
    log_in(watched, owner.login, "battery staple correct")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_filters_apply_at_once(inside: Watched, stage, project, write_token):
    stage.revoke(stage.app(project))
    page = inside.open("/admin/token/")
    expect(page.locator("tbody .badge")).to_have_count(2)
    page.get_by_label("State").select_option("revoked")
    expect(page.locator("tbody .badge")).to_have_text(["revoked"])
    page.get_by_label("Project is").fill("nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No token is found.")).to_be_visible()


def test_by_keyboard_alone(watched: Watched, administrator, project):
    page = watched.open("/admin/")
    # Chromium follows `autofocus` when it paints, which may be after the page is loaded.
    expect(page.get_by_label("Login")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    watched.open(f"/admin/project/details/?id={project.id}")
    page.get_by_role("button", name="Delete project").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete project")).to_be_focused()
