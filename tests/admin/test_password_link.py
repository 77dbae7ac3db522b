"""One-time links for a forgotten password."""

import io
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import update

from ar_targets import clock
from ar_targets.db.base import digest
from ar_targets.db.session import transaction_scope
from ar_targets.models import password_link, soft_delete, user
from ar_targets.models.password_link import PasswordLink
from ar_targets.models.purge import useless
from ar_targets.models.user import User
from ar_targets.scripts import admin

from ..actors import PASSWORD
from ..client import at_once
from ..panel import LOGIN, Panel, wrong
from ..tables import admin_session, audit
from ..tables import password_link as links
from ..tables import user as users

NEW = "battery staple correct"
LINK = re.compile(r"http://localhost(?::80)?(/admin/password/([\w-]{43})/)")


def make(panel, owner):
    """The path of a new link, as an administrator's page shows it."""
    page = panel.send(f"/admin/password/make/{owner.id}/", status=200)
    shown = page.html.find("textarea", {"id": "link"}).get_text().strip()
    assert page.html.find("button", {"data-copy": True})["data-copy"] == shown
    return LINK.fullmatch(shown)[1]


def use(visitor, path, password=NEW, status=303):
    """Send the form behind a link."""
    form = visitor.get(path, status=200).forms[0]
    form["password"] = password
    return form.submit(status=status)


def can_log_in(app, login, password):
    answer = app.call("POST", "/api/login", {"login": login, "password": password}, status="*")
    return answer.status_int == 200


def entries(stage, user):
    """(action, actor, via, details) of the entries about a user, logins excepted."""
    return [
        (row["action"], row["actor"], row["via"], orjson.loads(row["details"]))
        for row in stage.rows(audit, audit.c.noun == "user", audit.c.row_id == user.id)
        if not row["action"].startswith("login")
    ]


@pytest.fixture
def link(panel, owner):
    """The path of a link for ``olga``."""
    return make(panel, owner)


@pytest.fixture
def nobody(app):
    """Somebody without a session, who has been given a link."""
    return Panel(app.app)


def test_it_sets_the_password_once(app, nobody, link, owner, stage):
    page = nobody.get(link, status=200)
    assert page.forms[0]["login"].value == "olga"
    assert page.forms[0]["password"].attrs["autocomplete"] == "new-password"
    response = use(nobody, link)
    assert response.location == "http://localhost" + LOGIN
    assert "Your password is set" in nobody.said(response)
    assert can_log_in(app, "olga", NEW)
    assert not can_log_in(app, "olga", PASSWORD)
    app.call("GET", "/api/project", who=owner, status=401)
    assert stage.rows(links) == []
    assert "Ask an administrator" in nobody.get(link, status=404)
    nobody.send(link, password="a third password", status=404)
    assert can_log_in(app, "olga", NEW)


def test_it_is_shown_once_and_kept_as_a_hash(panel, stage, link):
    (row,) = stage.rows(links)
    secret = LINK.fullmatch("http://localhost" + link)[2]
    assert row["id"] == digest(secret)
    assert secret.encode() not in b"".join(
        value for value in row.values() if isinstance(value, bytes)
    )
    assert row["expires_at"] - row["created_at"] == password_link.TTL
    for path in ("/admin/user/", "/admin/audit/"):
        assert secret not in panel.get(path)


def test_its_address_is_that_of_the_server(app, administrator, owner):
    elsewhere = Panel(app.app, extra_environ={"wsgi.url_scheme": "https"})
    elsewhere.log_in()
    page = elsewhere.send(f"/admin/password/make/{owner.id}/", status=200)
    assert "https://localhost" in page.html.find("textarea", {"id": "link"}).get_text()


def test_without_its_last_slash(nobody, link):
    assert nobody.get(link.rstrip("/"), status=200).forms[0]["login"].value == "olga"


def test_a_refused_password_leaves_it_valid(app, nobody, link):
    assert "8 to 128" in wrong(use(nobody, link, "short", status=400))["password"]
    assert not can_log_in(app, "olga", "short")
    use(nobody, link)
    assert can_log_in(app, "olga", NEW)


def test_whoever_looks_at_it_ends_nothing(nobody, link, stage):
    for _ in range(2):
        nobody.get(link, status=200)
        nobody.head(link, status=200)
    assert len(stage.rows(links)) == 1


def test_only_one_of_two_at_once(app, link, stage, owner):
    visitors = [Panel(app.app), Panel(app.app)]
    tokens = [visitor.get(link).forms[0]["csrf_token"].value for visitor in visitors]
    passwords = [f"the password of number {number}" for number in range(2)]

    def send(visitor, token, password):
        fields = {"csrf_token": token, "password": password}
        return visitor.post(link, fields, expect_errors=True)

    calls = list(zip(visitors, tokens, passwords, strict=True))
    statuses = at_once(app, [lambda _, call=call: send(*call) for call in calls])
    assert statuses == [303, 404]
    assert sum(can_log_in(app, "olga", password) for password in passwords) == 1
    (row,) = stage.rows(users, users.c.id == owner.id)
    assert row["password_version"] == 2


def test_two_made_at_once_are_one(app, administrator, owner, stage):
    panels = [Panel(app.app), Panel(app.app)]
    for panel in panels:
        panel.log_in()
    calls = [(panel, panel.csrf()) for panel in panels]

    def send(panel, token):
        return panel.post(f"/admin/password/make/{owner.id}/", {"csrf_token": token})

    assert at_once(app, [lambda _, call=call: send(*call) for call in calls]) == [200, 200]
    assert len(stage.rows(links)) == 1


def test_it_expires(app, nobody, link, stage):
    with stage.engine.begin() as connection:
        connection.execute(update(links).values(expires_at=clock.now()))
    assert "Ask an administrator" in nobody.get(link, status=404)
    nobody.send(link, password=NEW, status=404)
    assert can_log_in(app, "olga", PASSWORD)


def test_it_expires_while_the_form_is_open(app, nobody, link, stage):
    form = nobody.get(link).forms[0]
    with stage.engine.begin() as connection:
        late = clock.now() - timedelta(seconds=1)
        connection.execute(update(links).values(expires_at=late))
    form["password"] = NEW
    form.submit(status=404)
    assert can_log_in(app, "olga", PASSWORD)


def test_expired_links_are_purged(link, stage):
    def purge(now):
        (expired,) = [one for one in useless(now) if one.noun is PasswordLink]
        return list(expired.remove(lambda: transaction_scope(stage.engine), 10))

    assert purge(clock.now()) == []
    assert purge(clock.now() + password_link.TTL) == [1]
    assert stage.rows(links) == []


def by_api(app, panel, script, user):
    app.call("PATCH", user.path, {"password": "another password"}, who=user, status=200)


def by_panel(app, panel, script, user):
    fields = {"login": user.login, "password": "another password", "revision": "1"}
    assert panel.send(f"/admin/user/edit/?id={user.id}", **fields).status_int in (302, 303)


def by_link(app, panel, script, user):
    use(Panel(app.app), make(panel, user), "another password")


def by_script(app, panel, script, user):
    assert script(admin.main, "password", user.login, stdin="another password").code == 0


WAYS = [by_api, by_panel, by_link, by_script]


@pytest.mark.parametrize("change", WAYS)
def test_another_change_of_the_password_ends_it(app, panel, script, nobody, owner, link, change):
    change(app, panel, script, owner)
    nobody.get(link, status=404)
    nobody.send(link, password=NEW, status=404)
    assert can_log_in(app, "olga", "another password")


def test_a_change_of_the_password_between_reading_and_using_ends_it(stage, owner, link, app):
    secret = LINK.fullmatch("http://localhost" + link)[2]
    with transaction_scope(stage.engine) as db:
        found = password_link.find(db, secret, clock.now())
    app.call("PATCH", owner.path, {"password": NEW}, who=owner, status=200)
    with transaction_scope(stage.engine) as db:
        assert not password_link.use(db, secret, found, "a hash", clock.now())
    assert can_log_in(app, "olga", NEW)


def test_it_waits_for_a_change_of_the_password_that_is_not_committed(stage, owner, link):
    secret = LINK.fullmatch("http://localhost" + link)[2]

    def set_password():
        with transaction_scope(stage.engine) as db:
            found = password_link.find(db, secret, clock.now())
            reading.set()
            return password_link.use(db, secret, found, "a hash", clock.now())

    reading = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        with transaction_scope(stage.engine) as db:
            user.change(db, owner.id, password_hash="another hash")
            used = thread.submit(set_password)
            assert reading.wait(10)
            # It would be done by now.
            with pytest.raises(TimeoutError):
                used.result(0.5)
        assert used.result(10) is False
    (row,) = stage.rows(users, users.c.id == owner.id)
    assert row["password_hash"] == "another hash"


def test_a_newer_one_ends_it(app, panel, nobody, owner, stranger, link):
    others = make(panel, stranger)
    newer = make(panel, owner)
    nobody.get(link, status=404)
    nobody.get(others, status=200)
    use(nobody, newer)
    assert can_log_in(app, "olga", NEW)


def test_a_deleted_user_has_none(app, panel, nobody, owner, link, stage):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, User, owner.id)
    nobody.get(link, status=404)
    nobody.send(link, password=NEW, status=404)
    panel.send(f"/admin/password/make/{owner.id}/", status=404)
    panel.send("/admin/password/make/999999/", status=404)
    (row,) = stage.rows(users, users.c.id == owner.id)
    assert row["password_version"] == 1


def test_it_goes_with_its_user(owner, link, stage):
    with stage.engine.begin() as connection:
        connection.execute(users.delete().where(users.c.id == owner.id))
    assert stage.rows(links) == []


@pytest.mark.parametrize("secret", ["", "x/", "a" * 43 + "/", "a" * 5000 + "/", "%00/"])
def test_links_that_nobody_made(nobody, link, secret):
    response = nobody.get(f"/admin/password/{secret}", status=404)
    assert "Ask an administrator for a new one" in response


def test_nobody_else_makes_one(app, nobody, owner, stranger, stage):
    path = f"/admin/password/make/{stranger.id}/"
    nobody.log_in(owner.login, status="*")
    token = nobody.csrf()
    for visitor in (nobody, Panel(app.app)):
        response = visitor.post(path, {"csrf_token": token}, expect_errors=True)
        assert response.status_int in (303, 400, 403)
        visitor.get(path, expect_errors=True)
    for who in (owner, stranger):
        answer = nobody.post(path, {"csrf_token": token}, headers=who.headers, expect_errors=True)
        assert answer.status_int in (303, 403)
    assert stage.rows(links) == []


def test_an_administrator_no_more_makes_none(panel, owner, administrator, stage):
    token = panel.csrf()
    with stage.engine.begin() as connection:
        demoted = update(users).where(users.c.id == administrator.id)
        connection.execute(demoted.values(is_admin=False))
    path = f"/admin/password/make/{owner.id}/"
    answer = panel.post(path, {"csrf_token": token}, expect_errors=True)
    assert answer.status_int in (303, 403)
    assert stage.rows(links) == []


def test_it_opens_nothing_but_its_form(nobody, link, owner, stage):
    use(nobody, link)
    assert stage.rows(admin_session, admin_session.c.user_id == owner.id) == []
    nobody.get("/admin/user/", status=303)


def test_changes_from_one_address_are_limited(make_app, administrator, owner):
    client = make_app(user_change_rate="1 per 1 minute")
    panel = Panel(client.app, extra_environ=client.extra_environ)
    panel.log_in()
    link = make(panel, owner)
    client.call("PATCH", owner.path, {"login": "olga2"}, who=owner, status=200)
    response = use(Panel(client.app, extra_environ=client.extra_environ), link, status=429)
    assert "too many changes" in wrong(response)[""]
    assert int(response.headers["Retry-After"]) > 0


def test_the_trail_tells_who_made_it_and_who_used_it(nobody, link, owner, administrator, stage):
    use(nobody, link)
    created, made, changed = entries(stage, owner)
    assert created[0] == "create"
    assert made == ("password link", f"user:{administrator.id}", "admin", {})
    assert changed == ("change", f"user:{owner.id}", "admin", {"password": "set"})


def test_its_user_is_the_principal_in_an_administrators_browser(panel, link, owner, stage):
    use(panel, link)
    assert entries(stage, owner)[-1][:3] == ("change", f"user:{owner.id}", "admin")


def test_the_panel_shows_its_making(panel, link):
    entry = panel.get("/admin/audit/").html.select_one("tbody tr").get_text(" ", strip=True)
    assert entry.startswith("password link")


@pytest.mark.parametrize(
    ("change", "by"),
    [
        (by_api, ("user:{olga}", "api")),
        (by_panel, ("user:{ada}", "admin")),
        (by_link, ("user:{olga}", "admin")),
        (by_script, ("script", "script")),
    ],
)
def test_each_new_password_is_in_the_trail(app, panel, script, owner, stage, change, by):
    change(app, panel, script, owner)
    ids = {row["login"]: row["id"] for row in stage.rows(users)}
    actor, via = by[0].format(**ids), by[1]
    assert entries(stage, owner)[-1] == ("change", actor, via, {"password": "set"})
    assert "another password" not in str(stage.rows(audit))


def test_restored_users_have_their_link_again(app, nobody, link, owner, stage):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, User, owner.id)
    with transaction_scope(stage.engine) as db:
        soft_delete.restore(db, User, owner.id)
    use(nobody, link)
    assert can_log_in(app, "olga", NEW)


def test_its_secret_is_in_no_log(app, panel, owner):
    """Whatever level is set: neither where it is made, nor where it is opened and used."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    ours = logging.getLogger("ar_targets")
    our_level = ours.level
    ours.setLevel(logging.DEBUG)
    try:
        link = make(panel, owner)
        visitor = Panel(app.app)
        use(visitor, link, "short", status=400)
        use(visitor, link)
        visitor.get(link, status=404)
        visitor.get(link + "more/", expect_errors=True)
        visitor.post(link, {"csrf_token": "wrong"}, status=400)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        ours.setLevel(our_level)
    log = written.getvalue()
    assert log.count("ar_targets.access") >= 8
    assert link.split("/")[-2] not in log
    assert NEW not in log


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_no_answer_gives_the_secret_away(nobody, link, accept):
    """`tests.panel.check` looks for no-store, and for no-referrer below this path."""
    secret = link.split("/")[-2]
    for path in (link, link + "more/", link.rstrip("/")):
        response = nobody.get(path, headers={"Accept": accept}, expect_errors=True)
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
    bad = nobody.post(link, {"csrf_token": "wrong"}, status=400)
    assert secret not in bad
    assert secret not in use(nobody, link).location
