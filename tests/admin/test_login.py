"""Logging in to the panel: every user, by the rules of the API's login."""

import pytest

from ..actors import PASSWORD
from ..panel import LOGIN, Panel, logged_in, names, wrong


@pytest.mark.parametrize("login", ["ada", "olga", "OLGA"])
def test_log_in(visitor, administrator, owner, login):
    response = visitor.log_in(login)
    assert response.location == "http://localhost/admin/"
    page = visitor.get("/admin/account/", status=200)
    assert page.html.select_one(".whoami").get_text() == login.lower()
    assert visitor.get(LOGIN, status=303).location == "http://localhost/admin/"


@pytest.mark.parametrize(("login", "led"), [("ada", True), ("olga", False)])
def test_the_menu_has_what_one_may_open(app, administrator, owner, login, led):
    page = logged_in(app, login).get("/admin/account/")
    menu = [tag.get_text(strip=True) for tag in page.html.select("nav[aria-label=Main] a")]
    assert "Projects" in menu
    assert ("Users" in menu) == led
    for tag in page.html.select("nav[aria-label=Main] a"):
        if tag["href"] != "/admin/":
            page.click(href=f"^{tag['href']}$")


@pytest.mark.parametrize(("login", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_wrong(visitor, administrator, login, password):
    response = visitor.log_in(login, password, status=401)
    assert wrong(response) == {"": "wrong login or password"}
    assert response.forms[0]["login"].value == login
    assert response.forms[0]["password"].value == ""
    visitor.get("/admin/", status=303)


def test_failures_are_throttled_with_those_of_the_api(make_app, administrator):
    client = make_app(login_failures="2 per 1 minute")
    client.call("POST", "/api/login", {"login": "ada", "password": "wrong"}, status=401)
    visitor = Panel(client.app, extra_environ=client.extra_environ)
    visitor.log_in("ada", "wrong", status=401)
    response = visitor.log_in("ada", PASSWORD, status=429)
    assert "too many failed logins" in wrong(response)[""]
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/admin/user/?flt0_login_begins_with=o", "/admin/user/?flt0_login_begins_with=o"),
        ("https://evil.example/", "/admin/"),
        ("//evil.example/admin/", "/admin/"),
        ("/admin//evil.example", "/admin/"),
        ("/admin/\\evil.example", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_leads_back_into_the_panel_and_nowhere_else(visitor, administrator, asked, led):
    page = visitor.get(LOGIN, {"next": asked})
    form = page.forms[0]
    form.action = page.request.path_qs
    form["login"], form["password"] = "ada", PASSWORD
    assert form.submit().location == "http://localhost" + led


def test_the_page_asked_for_is_remembered(visitor, administrator, stage):
    stage.user("olga&")
    asked = "/admin/user/?flt0_login_begins_with=o%26"
    page = visitor.get(asked, status=303).follow()
    form = page.forms[0]
    form["login"], form["password"] = "ada", PASSWORD
    led = form.submit(status=303)
    assert led.location == f"http://localhost{asked}"
    assert names(led.follow()) == []
    assert "Show all" in visitor.get(asked)


def test_a_page_that_was_posted_to_is_not(visitor):
    response = visitor.post("/admin/user/action/", {}, status=303)
    assert response.location == f"http://localhost{LOGIN}"


def test_odd_characters(visitor):
    visitor.log_in("a\0b", "x", status=400)
