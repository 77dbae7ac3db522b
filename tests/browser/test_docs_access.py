"""``/api/docs``: what is seen at first, by keyboard, by axe-core, and a photograph sent from it."""

import re

import pytest
from playwright.sync_api import expect

from ..actors import PASSWORD
from ..pictures import CHINA
from ..tables import target as targets
from .conftest import Watched
from .docs_page import execute, log_in, opened_page, says, send, unfold

FOLDED = "#operations-other_methods-list_users_head"


@pytest.fixture
def page(watched: Watched):
    return opened_page(watched)


@pytest.fixture
def checked(page, axe):
    """Looks at the page as it is now, and remembers what is wrong."""
    found = {}

    def check(state):
        page.wait_for_timeout(200)  # Swagger UI colours code after it has shown it.
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        faults = axe(page) + (["wider than the screen"] if wide > shown else [])
        found.update({state: faults} if faults else {})

    yield check
    assert found == {}


def test_operations_are_on_the_first_screen(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    # Six at least, wholly.
    last = page.locator(".opblock").nth(5).bounding_box()
    assert last["y"] + last["height"] <= 800
    told = page.get_by_text("A token goes into the header")
    expect(told).to_be_hidden()
    page.get_by_text("Introduction").click()
    expect(told).to_be_visible()


def test_head_and_options_are_shown_when_asked_for(page):
    expect(page.locator(".opblock-get").first).to_be_visible()
    expect(page.locator(".opblock-head, .opblock-options")).to_have_count(0)
    page.locator("#operations-tag-other_methods button").click()
    expect(page.locator(FOLDED)).to_be_visible()
    execute(page, "other_methods-list_users_head", 200)


def test_a_link_to_what_is_folded_opens_it(watched):
    page = watched.open("/api/docs#/other%20methods/list_users_head")
    expect(page.locator(FOLDED).locator(".execute")).to_be_visible()
    # Swagger UI takes each underscore, those of operations too, for an old way of writing.
    assert all(fault.startswith("Deprecated: escaping deep link") for fault in watched.faults)
    watched.faults.clear()


def test_axe_finds_nothing_to_read(page, checked):
    checked("at first")
    page.get_by_text("Introduction").click()
    checked("introduction")
    page.locator("#open").click()
    checked("dialog")
    page.keyboard.press("Escape")
    for operation in ("users-list_users", "users-replace_user", "users-delete_user"):
        unfold(page, operation)
    checked("operations opened")
    block = unfold(page, "image_targets-change_target")
    block.get_by_role("tab", name="Schema").first.click()
    checked("schema of a body")
    page.locator("#operations-tag-other_methods button").click()
    page.locator(FOLDED).wait_for()
    unfold(page, "other_methods-list_users_options")
    checked("HEAD and OPTIONS")


def test_axe_finds_nothing_in_the_schemas(page, checked):
    page.get_by_role("button", name="Schemas").click()
    page.locator(".models").get_by_role("button", name="Token", exact=True).click()
    page.locator(".models").get_by_text("revoked_at").wait_for()
    checked("schemas")


def test_axe_finds_nothing_when_it_is_tried(page, watched, checked, owner, project):
    log_in(page, owner.login, "wrong password")
    page.get_by_role("dialog").get_by_text("wrong login or password").wait_for()
    checked("refused login")
    page.keyboard.press("Escape")
    execute(page, "projects-create_project", 401)
    checked("refused")
    watched.expected(2)
    log_in(page, owner.login, PASSWORD)
    says(page, f"Logged in as {owner.login}; sends a user token")
    execute(page, "project_tokens-create_token", 201, project_id=project.id)
    page.locator("#offer").wait_for()
    checked("offer")
    page.get_by_role("button", name="Use it").click()
    made = execute(page, "image_targets-create_target", 201, project_id=project.id).inner_text()
    checked("created")
    target = re.search(r'"id": (\d+)', made)[1]
    ids = {"project_id": project.id, "target_id": target}
    execute(page, "image_targets-read_target", 200, **ids)
    execute(page, "image_targets-read_image", 200, **ids).locator("img").wait_for()
    checked("image")


@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data"])
def test_a_photograph_is_sent_byte_for_byte(
    page, checked, stage, project, write_token, tmp_path, kind
):
    photograph = tmp_path / "china.jpg"
    photograph.write_bytes(CHINA)
    page.locator("#open").click()
    page.get_by_label("Project token").fill(write_token.token)
    page.get_by_role("button", name="Use these").click()
    block = unfold(page, "image_targets-create_target")
    block.locator(".opblock-section-request-body .content-type").select_option(kind)
    block.locator("tr[data-param-name=project_id] input").fill(str(project.id))
    with page.expect_file_chooser() as chosen:
        block.get_by_label("File to send").click()
    chosen.value.set_files(photograph)
    if kind == "image/jpeg":
        checked("file chooser")
    send(block, 201)
    if kind == "image/jpeg":
        checked("uploaded")
    assert [row["image"] for row in stage.rows(targets)] == [CHINA]


def test_by_keyboard_alone(page, owner):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="openapi.json")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#open")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Login", exact=True)).to_be_focused()
    page.keyboard.type(owner.login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    says(page, f"Logged in as {owner.login}; sends a user token")
    expect(page.locator("#open")).to_be_focused()
    page.locator("#operations-projects-list_projects .opblock-summary-control").focus()
    page.keyboard.press("Enter")
    run = page.locator("#operations-projects-list_projects .execute")
    run.focus()
    page.keyboard.press("Enter")
    answer = page.locator("#operations-projects-list_projects .live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("200")
