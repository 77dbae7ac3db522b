"""``/api/docs``: the description can be read there, and the API tried with tokens."""

import re

import httpx
import pytest

from ..actors import PASSWORD
from ..live import live
from .conftest import Watched

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
    opened = watched.open("/api/docs")
    opened.locator(".opblock").first.wait_for()
    return opened


def give(page, place, token):
    """Type a token into the dialog: that for users is the first, that for projects the second."""
    page.locator("button.authorize").first.click()
    form = page.locator(".auth-container").nth(place)
    form.get_by_label("auth-bearer-value").fill(token)
    form.locator("button[type=submit]").click()
    page.locator(".close-modal").click()


def execute(page, operation, status, **path):
    """Send an operation's own example; what came back."""
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    for name, value in path.items():
        block.locator(f"tr[data-param-name={name}] input").fill(str(value))
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response")
    answer.locator(".response-col_status", has_text=str(status)).wait_for()
    return answer


def test_it_shows_the_description(page):
    assert "ar_targets" in page.locator(".info .title").inner_text()
    for operation in ("users-create_user", "project_tokens-create_token", "server-is_ready"):
        assert page.locator(f"#operations-{operation}").is_visible()


def test_the_api_can_be_tried_with_tokens(page, watched, address):
    execute(page, "projects-list_projects", 401)
    watched.expected(1)
    httpx.post(f"{address}/api/user", json=ANN).raise_for_status()
    give(page, 0, httpx.post(f"{address}/api/login", json=ANN).json()["token"])
    made = execute(page, "projects-create_project", 201).inner_text()
    ids = {"project_id": re.search(r'"id": (\d+)', made)[1]}
    token = execute(page, "project_tokens-create_token", 201, **ids).inner_text()
    give(page, 1, re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", token)[0])
    made = execute(page, "image_targets-create_target", 201, **ids).inner_text()
    ids["target_id"] = re.search(r'"id": (\d+)', made)[1]
    shown = execute(page, "image_targets-read_image", 200, **ids).locator("img")
    assert shown.get_attribute("src").startswith(f"blob:{address}")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8
