"""``/api/docs``: the description can be read there, and the API tried with tokens."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from ..actors import PASSWORD
from ..live import live
from .conftest import Watched
from .docs_page import execute, log_in, opened_page, says

ANN = {"login": "ann", "password": PASSWORD}


@pytest.fixture(scope="module", params=["", "https://app.example.org"], ids=["own", "other"])
def address(request, database_url, tmp_path_factory):
    """A server that no other web page may call, and one that some may."""
    directory = tmp_path_factory.mktemp("live")
    with live(database_url, directory, cors_origins=request.param) as server:
        yield server.url


@pytest.fixture
def page(watched: Watched):
    """The docs page, which must load nothing from elsewhere, and complain about nothing."""
    return opened_page(watched)


@pytest.fixture
def ann(address, page):
    """A user, whose rows are gone after the test."""
    httpx.post(f"{address}/api/user", json=ANN).raise_for_status()


def test_it_shows_the_description(page):
    assert "ar_targets" in page.get_by_role("heading", level=1).inner_text()
    for operation in ("users-create_user", "project_tokens-create_token", "server-is_ready"):
        assert page.locator(f"#operations-{operation}").is_visible()


def test_the_api_can_be_tried_with_tokens(page, watched, ann):
    execute(page, "projects-list_projects", 401)
    watched.expected(1)
    log_in(page, **ANN)
    says(page, "Logged in as ann; sends a user token")
    made = execute(page, "projects-create_project", 201).inner_text()
    ids = {"project_id": re.search(r'"id": (\d+)', made)[1]}
    execute(page, "project_tokens-create_token", 201, **ids)
    page.get_by_role("button", name="Use it").click()
    says(page, "Logged in as ann; sends a user token and project token")
    made = execute(page, "image_targets-create_target", 201, **ids).inner_text()
    ids["target_id"] = re.search(r'"id": (\d+)', made)[1]
    shown = execute(page, "image_targets-read_image", 200, **ids).locator("img")
    assert shown.get_attribute("src").startswith(f"blob:{page.evaluate('location.origin')}")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8


def test_a_login_that_fails_says_why(page, watched, ann):
    log_in(page, "ann", "wrong password")
    told = page.get_by_role("dialog").get_by_role("alert")
    expect(told).to_have_text("wrong login or password")
    watched.expected(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    says(page, "Not logged in")


def test_logging_out_forgets_the_tokens(page, watched, ann):
    log_in(page, **ANN)
    says(page, "Logged in as ann; sends a user token")
    execute(page, "projects-list_projects", 200)
    page.get_by_role("button", name="Log out").click()
    says(page, "Not logged in")
    execute(page, "projects-list_projects", 401)
    page.locator("#open").click()
    assert page.get_by_label("User token").input_value() == ""
    watched.expected(1)


def test_a_token_stays_in_the_memory_of_the_page(page, ann):
    log_in(page, **ANN)
    says(page, "Logged in as ann; sends a user token")
    stored = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert stored == [0, 0, ""]
    page.reload()
    says(page, "Not logged in")


def test_a_token_can_be_entered(page, address, ann):
    token = httpx.post(f"{address}/api/login", json=ANN).json()["token"]
    page.locator("#open").click()
    page.get_by_label("User token").fill(f" {token} ")
    page.get_by_role("button", name="Use these").click()
    says(page, "Not logged in; sends a user token")
    execute(page, "projects-list_projects", 200)


def test_a_login_by_try_it_offers_its_token(page, address, ann):
    body = page.locator("#operations-login-log_in")
    body.locator(".opblock-summary-control").click()
    body.get_by_label("Request body").fill(f'{{"login": "ann", "password": "{PASSWORD}"}}')
    body.locator(".execute").click()
    expect(page.get_by_text("The response has a user token.")).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    says(page, "Not logged in")
    body.locator(".execute").click()
    page.get_by_role("button", name="Use it").click()
    says(page, "Not logged in; sends a user token")
