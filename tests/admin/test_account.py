"""What users of the panel change of themselves: login and password."""

import pytest

from ..actors import PASSWORD
from ..panel import Panel, logged_in, wrong
from ..tables import audit

ACCOUNT = "/admin/account/"
NEW = "battery staple correct"


@pytest.fixture
def olga(app, owner):
    """``olga``, logged in, who is no administrator."""
    return logged_in(app, "olga")


def set_password(panel, current=PASSWORD, new=NEW, **options):
    return panel.send(f"{ACCOUNT}password/", current=current, password=new, **options)


def can_log_in(app, login, password):
    answer = app.call("POST", "/api/login", {"login": login, "password": password}, status="*")
    return answer.status_int == 200


def test_everybody_has_one(panel, olga):
    assert "administrator" in panel.get(ACCOUNT).html.select_one(".title").get_text()
    page = olga.get(ACCOUNT)
    assert page.html.h1.get_text(strip=True) == "olga"
    assert page.html.select_one("#field-login")["value"] == "olga"


def test_change_login(app, olga, stage, owner):
    response = olga.send(f"{ACCOUNT}login/", login="olga2", status=303)
    assert "Your login is changed" in olga.said(response)
    assert olga.get(ACCOUNT).html.select_one(".whoami").get_text() == "olga2"
    assert can_log_in(app, "olga2", PASSWORD)
    # Sessions and tokens go on.
    app.call("GET", "/api/project", who=owner, status=200)
    (entry,) = [row for row in stage.rows(audit) if row["action"] == "change"]
    assert (entry["actor"], entry["via"]) == (f"user:{owner.id}", "admin")


@pytest.mark.parametrize("login", ["", "x" * 65, "STEFAN"])
def test_logins_that_are_refused(app, olga, stranger, owner, login):
    body = {"login": login}
    told = app.call("PATCH", owner.path, body, who=owner, status="*")
    response = olga.send(f"{ACCOUNT}login/", login=login, status=told.status_int)
    assert wrong(response) == {"login": told.json["errors"][0]["description"]}
    assert response.html.select_one("#field-login")["value"] == login
    assert olga.get(ACCOUNT).html.select_one(".whoami").get_text() == "olga"


def test_change_password(app, olga, owner):
    other = logged_in(app, "olga")
    response = set_password(olga, status=303)
    assert "Your password is changed" in olga.said(response)
    assert can_log_in(app, "olga", NEW)
    assert not can_log_in(app, "olga", PASSWORD)
    # All other logins end; one's own goes on.
    olga.get(ACCOUNT, status=200)
    other.get(ACCOUNT, status=303)
    app.call("GET", "/api/project", who=owner, status=401)
    set_password(olga, NEW, PASSWORD, status=303)


def test_a_copy_of_the_cookie_ends_too(app, olga):
    thief = Panel(app.app)
    thief.set_cookie("ar_targets_admin", olga.cookies["ar_targets_admin"])
    thief.get(ACCOUNT, status=200)
    set_password(olga, status=303)
    thief.get(ACCOUNT, status=303)


def test_the_current_password_is_asked_for(app, olga, stage):
    for current in ("wrong password", ""):
        response = set_password(olga, current, status=400)
        assert wrong(response) == {"current": "this is not your password"}
    assert can_log_in(app, "olga", PASSWORD)
    failed = [row["via"] for row in stage.rows(audit) if row["action"] == "login failed"]
    assert failed == ["admin", "admin"]


@pytest.mark.parametrize("new", ["", "short", "x" * 129])
def test_passwords_that_are_refused(app, olga, owner, new):
    told = app.call("PATCH", owner.path, {"password": new}, who=owner, status=400)
    response = set_password(olga, new=new, status=400)
    assert wrong(response) == {"password": told.json["errors"][0]["description"]}
    assert new not in [tag.get("value") for tag in response.html.select("[type=password]") if new]


def test_guesses_are_limited(make_app, owner):
    client = make_app(login_failures="2 per 1 minute")
    panel = Panel(client.app, extra_environ=client.extra_environ)
    panel.log_in("olga")
    for _ in range(2):
        set_password(panel, "wrong password", status=400)
    response = set_password(panel, status=429)
    assert "too many failed logins" in wrong(response)["current"]
    assert int(response.headers["Retry-After"]) > 0


def test_only_the_own_account(app, olga, stranger, stage):
    olga.send(f"{ACCOUNT}login/", login="olga2", id=str(stranger.id), status=303)
    olga.send(f"{ACCOUNT}login/?id={stranger.id}", login="olga3", is_admin="1", status=303)
    from ..tables import user as users

    found = {row["id"]: (row["login"], row["is_admin"]) for row in stage.rows(users)}
    assert found[stranger.id] == ("stefan", 0)
    assert ("olga3", 0) in found.values()
