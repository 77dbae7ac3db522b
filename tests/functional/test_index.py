"""``/`` and ``/api``: where things are."""

import pytest

from ar_targets.version import VERSION

from ..conftest import build

# As Chromium sends it.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
AWAY = "mysql+pymysql://root@127.0.0.1:9/none"


@pytest.mark.parametrize("path", ["/", "/api", "/api/"])
@pytest.mark.parametrize("accept", ["*/*", "application/json", None])
def test_json_for_programs(app, path, accept):
    headers = {"Accept": accept} if accept else {}
    response = app.get(path, headers=headers, status=200)
    assert response.content_type == "application/json"
    assert response.json == {
        "name": "ar_targets",
        "version": VERSION,
        "ready": True,
        "api": "http://localhost/api",
        "docs": "http://localhost/api/docs",
        "description": "http://localhost/api/openapi.json",
        "health": "http://localhost/health/ready",
        "panel": "http://localhost/admin/",
    }


@pytest.mark.parametrize("path", ["/", "/api"])
def test_a_page_for_browsers_whose_links_lead_on(app, path):
    page = app.get(path, headers={"Accept": BROWSER}, status=200)
    assert page.content_type == "text/html"
    assert VERSION in page.html.h1.get_text()
    assert page.html.strong.get_text() == "This server is ready."
    assert "api=http://localhost/api\n" in page.html.pre.get_text()
    found = [tag["href"] for tag in page.html.select("a, link")]
    assert len(found) == 5
    found.remove("http://localhost/admin/")
    for address in found:
        app.get(address, headers={"Accept": BROWSER}, status=200)


def test_no_panel_where_it_is_switched_off(make_app):
    app = make_app(admin_panel="off")
    assert app.get("/").json["panel"] is None
    assert "admin" not in app.get("/", headers={"Accept": BROWSER}).text


def test_below_a_path(app):
    shown = app.get("/", extra_environ={"SCRIPT_NAME": "/targets"}).json
    assert shown["docs"] == "http://localhost/targets/api/docs"
    page = app.get("/", headers={"Accept": BROWSER}, extra_environ={"SCRIPT_NAME": "/targets"})
    assert page.html.select_one("link[rel=stylesheet]")["href"].startswith(
        "http://localhost/targets/api/docs/index.css?"
    )


@pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")
def test_without_a_database():
    client = build(AWAY, database_timeout=1)
    assert client.get("/", status=200).json["ready"] is False
    page = client.get("/", headers={"Accept": BROWSER}, status=200)
    assert "not ready" in page.html.strong.get_text()
    client.registry.engine.dispose()
