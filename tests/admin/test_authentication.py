"""Who may in, for how long, and that no page forgets to ask."""

import subprocess
import sys

import pytest

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import user
from ar_targets.models.admin_session import AdminSession
from ar_targets.models.purge import useless
from ar_targets.models.user import User

from ..panel import LOGIN, Panel
from ..tables import admin_session

WORDS = {"export_type": "csv", "sha256": "0" * 64, "filename": "panel.css"}
OPEN = {"static", "login.index", "login.enter", "password_link.index", "password_link.use"}


def places(panel):
    """(endpoint, method, path) of all that the panel answers."""
    flask_app = panel.registry.admin_panel.application
    with flask_app.test_request_context("/admin/"):
        for rule in flask_app.url_map.iter_rules():
            # What is no word is the id of a row.
            path = rule.build({name: WORDS.get(name, 1) for name in rule.arguments})[1]
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield rule.endpoint, method, path


def test_every_place_asks_for_a_login(visitor):
    asked = 0
    for endpoint, method, path in places(visitor):
        if endpoint in OPEN:
            continue
        asked += 1
        response = visitor.request(path, method=method, status=303)
        assert response.location.startswith("http://localhost" + LOGIN), path
    assert asked > 60


def test_every_change_asks_for_a_csrf_token(panel):
    for endpoint, method, path in places(panel):
        if method == "POST":
            response = panel.post(path, {"login": "x"}, status=400)
            assert "CSRF" in response.text, endpoint


def test_csrf_token_of_another_session_is_refused(app, panel):
    foreign = Panel(app.app).csrf()
    response = panel.post("/admin/user/new/", {"csrf_token": foreign}, status=400)
    assert "CSRF" in response.text


def test_scripts_are_told_in_json(visitor):
    response = visitor.get("/admin/user/", headers={"Accept": "application/json"}, status=401)
    assert response.json["errors"][0]["description"] == "log in again"


def test_cookie(panel, visitor):
    header = visitor.get(LOGIN).headers.get("Set-Cookie") or panel.log_in().headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/admin/" in header
    assert "Secure" not in header


def test_cookie_over_tls(app, administrator):
    secure = Panel(app.app, extra_environ={"wsgi.url_scheme": "https"})
    response = secure.get(LOGIN)
    assert "Secure" in response.headers["Set-Cookie"]


def copy_of(app, panel):
    """Somebody else with the same cookie."""
    thief = Panel(app.app)
    thief.set_cookie("ar_targets_admin", panel.cookies["ar_targets_admin"])
    thief.get("/admin/user/", status=200)
    return thief


def test_logout_ends_stolen_cookies_too(app, panel):
    thief = copy_of(app, panel)
    response = panel.send("/admin/login/out/", status=303)
    assert response.headers["Clear-Site-Data"] == '"cache"'
    assert "logged out" in panel.said(response)
    thief.get("/admin/user/", status=303)
    panel.get("/admin/user/", status=303)


def test_a_new_password_ends_sessions(app, panel, administrator):
    thief = copy_of(app, panel)
    fields = {"login": "ada", "password": "another password", "is_admin": "y"}
    panel.send(f"/admin/user/edit/?id={administrator.id}", **fields, status=302)
    thief.get("/admin/user/", status=303)
    panel.get("/admin/user/", status=303)


def test_a_deleted_user_is_nobody(panel, stage, administrator):
    stage.user("second", is_admin=True)
    stage.delete(User, administrator.id)
    panel.get("/admin/account/", status=303)


def test_no_administrator_any_more(panel, stage, administrator):
    stage.user("second", is_admin=True)
    panel.get("/admin/user/", status=200)
    with transaction_scope(stage.engine) as db:
        user.set_admin(db, administrator.id, is_admin=False)
    panel.get("/admin/user/", status=403)
    panel.get("/admin/account/", status=200)


def test_sessions_expire(panel, stage, monkeypatch):
    with stage.engine.begin() as db:
        db.execute(admin_session.update().values(expires_at="2020-01-01"))
    panel.get("/admin/user/", status=303)
    (expired,) = [one for one in useless(clock.now()) if one.noun is AdminSession]
    assert list(expired.remove(lambda: transaction_scope(stage.engine), 10)) == [1]
    assert stage.rows(admin_session) == []


def test_idle_sessions_expire(make_app, administrator, monkeypatch):
    from itsdangerous import TimestampSigner

    panel = Panel(make_app(admin_session_ttl=60).app)
    panel.log_in()
    panel.get("/admin/user/", status=200)
    now = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now(self) + 61)
    panel.get("/admin/user/", status=303)


def test_another_key_opens_nothing(make_app, panel):
    other = Panel(make_app(jwt_keys="another-key-which-is-long-enough-too").app)
    other.set_cookie("ar_targets_admin", panel.cookies["ar_targets_admin"])
    other.get("/admin/user/", status=303)


def test_a_rotated_key_keeps_sessions(make_app, panel):
    from ..conftest import KEY

    keys = f"a-new-key-for-the-tests-which-is-long-enough {KEY}"
    other = Panel(make_app(jwt_keys=keys).app)
    other.set_cookie("ar_targets_admin", panel.cookies["ar_targets_admin"])
    other.get("/admin/user/", status=200)


def test_login_tokens_are_no_sessions(app, visitor, administrator):
    visitor.get("/admin/", headers=administrator.headers, status=303)


def test_switched_off(make_app):
    client = make_app(admin_panel="off")
    client.call("GET", "/admin/", status=404)
    client.call("GET", "/admin/login/", status=404)


def test_without_the_slash(visitor):
    assert visitor.get("/admin", status=308).location == "http://localhost/admin/"


def test_flask_waits_for_the_first_page():
    code = (
        "import sys; from ar_targets.application import main; import ar_targets.admin; "
        "sys.exit(any(name in sys.modules for name in ('flask', 'flask_admin', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_wrong_method_is_told_the_right_ones(panel, accept):
    response = panel.request(
        "/admin/user/", method="DELETE", headers={"Accept": accept}, status=405
    )
    assert "GET" in response.headers["Allow"].split(", ")
