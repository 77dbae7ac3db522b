"""Logging in to the panel: administrators alone, by the rules of the API's login."""

import pytest

from ..actors import PASSWORD
from ..panel import LOGIN, Panel, wrong


def test_log_in(visitor, administrator):
    response = visitor.log_in()
    assert response.location == "http://localhost/admin/"
    page = response.follow()
    assert page.html.select_one(".whoami").get_text() == "ada"
    assert visitor.get(LOGIN, status=303).location == "http://localhost/admin/"


@pytest.mark.parametrize(("login", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_wrong(visitor, administrator, login, password):
    response = visitor.log_in(login, password, status=401)
    assert wrong(response) == {"": "wrong login or password"}
    assert response.forms[0]["login"].value == login
    assert response.forms[0]["password"].value == ""
    visitor.get("/admin/", status=303)


def test_others_are_refused_clearly(visitor, owner):
    response = visitor.log_in(owner.login, status=403)
    assert "is no administrator" in wrong(response)[""]
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
        ("/admin/user/?q=o", "/admin/user/?q=o"),
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


def test_the_page_asked_for_is_remembered(visitor):
    response = visitor.get("/admin/user/?q=o%26", status=303)
    assert "next=/admin/user/?q%3Do%2526" in response.location or "next=" in response.location


def test_odd_characters(visitor):
    visitor.log_in("a\0b", "x", status=400)
