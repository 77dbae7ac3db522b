"""An administrator's day: upload, tokens, trash, in and out."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ar_targets.images import process

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
    log_in(watched, owner.login)
    expect(watched.page.get_by_role("alert")).to_contain_text("is no administrator")
    watched.expected(2)
    log_in(watched)
    page = watched.page
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.go_back()
    page.goto(watched.address + "/admin/user/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_upload_by_the_file_picker(inside: Watched, stage, project, photographs):
    page = inside.open(f"/admin/project/{project.id}/")
    page.locator("#upload").set_input_files(photographs)
    expect(page.locator(".uploads .stored")).to_have_count(2)
    all_loaded(page, ".grid img")
    assert page.locator(".grid img").count() == 2
    assert sorted(row["image"] for row in stage.rows(targets)) == sorted([CHINA, FLOWER])
    inside.open(f"/admin/target/?project={project.id}")
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
        page = inside.open(f"/admin/target/?project={project.id}")
        page.wait_for_function("() => document.querySelector('img.thumb[data-tries]')")
        assert stage.rows(thumbnails) == []
    # Those that are out of sight are loaded when they come into it.
    for picture in page.locator("img.thumb").all():
        picture.scroll_into_view_if_needed()
    all_loaded(page, "img.thumb")
    assert len(stage.rows(thumbnails)) == 8


def test_upload_by_dropping(inside: Watched, stage, project):
    page = inside.open(f"/admin/project/{project.id}/")
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
    page = inside.open(f"/admin/project/{project.id}/")
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Description").fill("kiosk")
    page.get_by_label("Read only").check()
    page.get_by_label("Days until it expires").fill("2")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".badge")).to_have_text("valid")
    page.wait_for_load_state("load")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    jwt = page.locator("#jwt").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == jwt
    page.get_by_label("Days from now").fill("90")
    page.get_by_role("button", name="Extend").click()
    inside.told("The token is extended")
    assert stage.rows(tokens)[0]["ttl"] == 90 * 86_400
    assert page.locator("#jwt").input_value() == jwt
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert stage.rows(tokens)[0]["revoked_at"] is None
    page.get_by_role("button", name="Revoke").click()
    confirm(page, "Revoke")
    expect(page.locator(".badge")).to_have_text("revoked")
    assert stage.rows(tokens)[0]["revoked_at"] is not None


def test_delete_and_restore_a_project(inside: Watched, stage, project, target):
    page = inside.open(f"/admin/project/{project.id}/")
    page.get_by_role("button", name="Delete project").click()
    confirm(page, "Delete project")
    inside.told("Zoo is in the trash")
    assert stage.rows(projects)[0]["deleted_at"] is not None
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("button", name="Restore Zoo").click()
    inside.told("The project is restored")
    assert stage.rows(projects)[0]["deleted_at"] is None


def test_delete_for_ever(inside: Watched, stage, owner, project, target):
    page = inside.open(f"/admin/target/{project.id}/{target.id}/")
    page.get_by_role("button", name="Delete target").click()
    confirm(page, "Delete target")
    inside.open("/admin/trash/?kind=target")
    page.get_by_role("link", name="Delete for ever").click()
    expect(page.get_by_role("listitem").filter(has_text="the target a gate")).to_be_visible()
    page.get_by_role("button", name="Delete for ever").click()
    assert len(stage.rows(targets)) == 1, "the box was not ticked"
    page.get_by_label("Yes, this may be lost").check()
    page.get_by_role("button", name="Delete for ever").click()
    inside.told("removed for good")
    assert stage.rows(targets) == []


def test_filters_apply_at_once(inside: Watched, stage, project, write_token):
    stage.revoke(stage.app(project))
    page = inside.open("/admin/token/")
    expect(page.locator("tbody .badge")).to_have_count(2)
    page.get_by_label("State").select_option("revoked")
    expect(page.locator("tbody .badge")).to_have_text(["revoked"])
    page.get_by_role("searchbox").fill("nothing")
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
    watched.open(f"/admin/project/{project.id}/")
    page.get_by_role("button", name="Delete project").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete project")).to_be_focused()
