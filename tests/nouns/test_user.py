"""``/api/user`` and ``/api/user/<id>``, open to all and for oneself alone."""

import pytest
import webtest
from sqlalchemy import update

from ar_targets.db.base import fold
from ar_targets.views import user as user_views

from ..actors import PASSWORD
from ..client import faults
from ..tables import project as project_table
from ..tables import user as table

OPEN_CREDENTIALS = """
/api/user
user_access = open       none garbage expired owner other admin write read foreign revoked
GET                      200    401     401    200   200   200   403  403    403     401
HEAD                     200    401     401    200   200   200   403  403    403     401
POST                     201    401     401    201   201   201   403  403    403     401
GET    /{owner}          200    401     401    200   200   200   403  403    403     401
HEAD   /{owner}          200    401     401    200   200   200   403  403    403     401
PUT    /{owner}          200    401     401    200   200   200   403  403    403     401
PATCH  /{owner}          200    401     401    200   200   200   403  403    403     401
DELETE /{owner}          204    401     401    204   204   204   403  403    403     401
GET    /{administrator}  404    401     401    404   404   200   404  404    404     401
HEAD   /{administrator}  404    401     401    404   404   200   404  404    404     401
PUT    /{administrator}  403    401     401    403   403   403   403  403    403     401
PATCH  /{administrator}  403    401     401    403   403   403   403  403    403     401
DELETE /{administrator}  403    401     401    403   403   403   403  403    403     401
"""

SELF_CREDENTIALS = """
/api/user
user_access = self       none garbage expired owner other admin write read foreign revoked
GET                      401    401     401    200   200   200   403  403    403     401
HEAD                     401    401     401    200   200   200   403  403    403     401
POST                     201    401     401    201   201   201   403  403    403     401
GET    /{owner}          401    401     401    200   403   403   403  403    403     401
HEAD   /{owner}          401    401     401    200   403   403   403  403    403     401
PUT    /{owner}          401    401     401    200   403   403   403  403    403     401
PATCH  /{owner}          401    401     401    200   403   403   403  403    403     401
DELETE /{owner}          401    401     401    204   403   403   403  403    403     401
GET    /{administrator}  401    401     401    404   404   200   404  404    404     401
HEAD   /{administrator}  401    401     401    404   404   200   404  404    404     401
PUT    /{administrator}  401    401     401    403   403   403   403  403    403     401
PATCH  /{administrator}  401    401     401    403   403   403   403  403    403     401
DELETE /{administrator}  401    401     401    403   403   403   403  403    403     401
"""

BODIES = {
    "UserBody": {"login": "nora", "password": PASSWORD},
    "UserPatch": {"login": "nora"},
    "LoginBody": {"login": "olga", "password": PASSWORD},
}
STATEMENTS = {
    "list users": (None, "GET", "/api/user", None, 1),
    "create a user": (None, "POST", "/api/user", BODIES["UserBody"], 2),
    "read a user": (None, "GET", "{owner.path}", None, 1),
    "change a user": (None, "PATCH", "{owner.path}", {"login": "other"}, 4),
    "delete a user": (None, "DELETE", "{owner.path}", None, 5),
}


def crowd_row(n, user_id, project_id):
    # With an id: a project cannot have the same member twice, so many members are many users.
    return {"id": CROWD + n, "login": f"u{n}", "login_key": fold(f"u{n}"), "password_hash": "-"}


CROWD = 1_000_000
LIST = "/api/user"
NEW = {"login": "nora", "password": "eight ch"}


def log_in(app, login, password, status=200):
    return app.post_json("/api/login", {"login": login, "password": password}, status=status)


def test_create(app, stage):
    created = app.post_json(LIST, NEW, status=201)
    assert created.json.keys() == {"id", "login", "created_at", "updated_at"}
    assert created.json["login"] == "nora"
    assert created.headers["Location"] == f"http://localhost{LIST}/{created.json['id']}"
    assert "eight ch" not in created
    read = app.get(created.headers["Location"])
    assert read.json == created.json
    assert read.headers["ETag"] == created.headers["ETag"]
    row = stage.rows(table)[0]
    assert row["password_hash"].startswith("$argon2id$")
    assert row["is_admin"] == 0
    log_in(app, "nora", "eight ch")


@pytest.mark.parametrize(
    ("field", "good"),
    [
        ("login", "n"),
        ("login", "n" * 64),
        ("login", " not trimmed "),
        ("login", "ναύτης 🧜"),
        ("password", "p" * 8),
        ("password", "p" * 128),
        ("password", "пароль 🔑"),
        ("password", " " * 8),
    ],
)
def test_good_fields(app, field, good):
    body = NEW | {field: good}
    assert app.post_json(LIST, body, status=201).json["login"] == body["login"]
    log_in(app, body["login"], body["password"])


BAD_FIELDS = [
    ("login", ["", "n" * 65, None, 7, False, ["n"], {}, "a\0b"]),
    ("password", ["p" * 7, "p" * 129, None, 12345678, True, ["p"], {}, "12345678\0"]),
]


@pytest.mark.parametrize(("field", "bad"), [(f, bad) for f, values in BAD_FIELDS for bad in values])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_bad_fields(app, stage, owner, method, field, bad):
    path = LIST if method == "POST" else owner.path
    refused = app.call(method, path, NEW | {field: bad}, status=400)
    assert faults(refused) == {field: "body"}
    assert not (isinstance(bad, str) and len(bad) > 1 and bad in refused)
    assert [row["login"] for row in stage.rows(table)] == ["olga"]
    log_in(app, "olga", PASSWORD)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_every_missing_field_is_named(app, owner, method):
    path = LIST if method == "POST" else owner.path
    assert faults(app.call(method, path, {}, status=400)) == {"login": "body", "password": "body"}


@pytest.mark.parametrize("column", ["is_admin", "password_hash", "revision", "deleted_at"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_no_field_makes_an_administrator(app, stage, owner, method, column):
    path = LIST if method == "POST" else owner.path
    sent = app.RequestClass.blank(path, method=method, content_type="application/json")
    sent.json = NEW | {column: 1}
    refused = webtest.TestApp(app.app).do_request(sent, status=400)
    assert faults(refused) == {column: "body"}
    assert [(row["login"], row["is_admin"]) for row in stage.rows(table)] == [("olga", 0)]


@pytest.mark.parametrize(
    ("taken", "wanted"), [("nora", "nora"), ("Nora", "NORA"), ("größe", "GRO\u0308SSE")]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_login_is_taken_without_regard_to_case(app, stage, owner, method, taken, wanted):
    stage.user(taken)
    path = LIST if method == "POST" else owner.path
    refused = app.call(method, path, NEW | {"login": wanted}, status=409)
    assert faults(refused) == {"login": "body"}
    assert [row["login"] for row in stage.rows(table)] == ["olga", taken]
    log_in(app, "olga", PASSWORD)


@pytest.mark.parametrize("other", ["norá", "nora ", " nora", "nоra"])
def test_other_logins_are_other_logins(app, stage, other):
    stage.user("nora")
    app.post_json(LIST, NEW | {"login": other}, status=201)


def test_list(app, owner, stranger, administrator):
    listed = app.get(LIST)
    assert [item["login"] for item in listed.json["items"]] == ["olga", "stefan"]
    assert listed.json["items"][0] == app.get(owner.path).json
    assert listed.json["next"] is None
    for who in (owner, stranger):
        assert app.get(LIST, headers=who.headers).json == listed.json


def test_an_administrator_is_shown_to_nobody_else(app, owner, administrator):
    app.get(administrator.path, status=404)
    app.get(administrator.path, headers=owner.headers, status=404)
    app.head(administrator.path, status=404)
    shown = app.get(administrator.path, headers=administrator.headers)
    assert shown.json["login"] == "ada"
    assert "admin" not in shown


@pytest.mark.parametrize("access", ["open", "self"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_administrator_can_neither_be_changed_nor_deleted(
    make_app, stage, owner, administrator, access, method
):
    app = make_app(user_access=access)
    before = stage.rows(table)
    body = None if method == "DELETE" else NEW
    for who in (owner, administrator):
        app.call(method, administrator.path, body, who=who, status=403)
    app.call(method, administrator.path, body, status=403 if access == "open" else 401)
    assert stage.rows(table) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_who_becomes_an_administrator_meanwhile_is_spared(
    app, stage, owner, project, monkeypatch, method
):
    def promote(request):
        with stage.engine.begin() as connection:
            connection.execute(update(table).values(is_admin=True))

    # It comes between the ACL's look at the row and the change.
    monkeypatch.setattr(user_views, "limit_changes", promote)
    body = None if method == "DELETE" else NEW
    app.call(method, owner.path, body, status=404)
    (row,) = stage.rows(table)
    assert (row["login"], row["is_admin"], row["deleted_at"]) == ("olga", 1, None)
    log_in(app, "olga", PASSWORD)
    assert stage.rows(project_table)[0]["deleted_at"] is None


def test_an_administrators_login_is_taken(app, administrator):
    app.post_json(LIST, NEW | {"login": "ADA"}, status=409)


def test_put_replaces_login_and_password(app, owner):
    before = app.get(owner.path)
    replaced = app.put_json(owner.path, NEW)
    assert replaced.json["login"] == "nora"
    assert replaced.json["id"] == owner.id
    assert replaced.json["created_at"] == before.json["created_at"]
    assert replaced.json["updated_at"] > before.json["updated_at"]
    assert replaced.headers["ETag"] != before.headers["ETag"]
    assert app.get(owner.path).json == replaced.json
    log_in(app, "olga", PASSWORD, status=401)
    log_in(app, "nora", NEW["password"])


def test_patch_of_the_login_keeps_password_and_tokens(app, owner):
    app.patch_json(owner.path, {"login": "oona"})
    log_in(app, "oona", PASSWORD)
    app.get("/api/project", headers=owner.headers)


def test_patch_of_nothing(app, owner):
    before = app.get(owner.path)
    patched = app.patch_json(owner.path, {})
    assert patched.json == before.json
    assert patched.headers["ETag"] == before.headers["ETag"]
    app.get("/api/project", headers=owner.headers)


@pytest.mark.parametrize("password", [PASSWORD, "another password"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_password_that_is_set_ends_user_tokens_and_no_project_tokens(
    app, owner, stranger, project, write_token, password, method
):
    body = {"password": password} | ({"login": "olga"} if method == "PUT" else {})
    app.call(method, owner.path, body)
    app.get("/api/project", headers=owner.headers, status=401)
    app.get(project.targets, headers=write_token.headers)
    app.get("/api/project", headers=stranger.headers)
    token = log_in(app, "olga", password).json["token"]
    app.get(project.path, headers={"Authorization": f"Bearer {token}"})


def test_read_only_fields_may_come_back(app, owner):
    whole = app.get(owner.path).json | {"id": 12345, "updated_at": None}
    assert app.patch_json(owner.path, whole).json["id"] == owner.id


def test_delete_takes_everything_along(
    app, stage, owner, project, write_token, target, stranger, other_project
):
    other_token = stage.app(other_project)
    app.delete(owner.path, status=204)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        app.call(method, owner.path, None if method in ("GET", "DELETE") else NEW, status=404)
    app.get("/api/project", headers=owner.headers, status=401)
    app.get(project.path, headers=stranger.headers, status=404)
    for path in (project.targets, target.path, target.image):
        app.get(path, headers=write_token.headers, status=401)
    log_in(app, "olga", PASSWORD, status=401)
    assert "olga" not in app.get(LIST)
    app.get(other_project.path, headers=stranger.headers)
    app.get(other_project.targets, headers=other_token.headers)
    deleted = [row["deleted_at"] is not None for row in stage.rows(table)]
    assert deleted == [True, False]
    assert [row["deleted_at"] is not None for row in stage.rows(project_table)] == [True, False]


def test_after_a_delete_login_and_project_name_are_free_again(app, owner, project, write_token):
    app.delete(owner.path)
    created = app.post_json(LIST, {"login": "OLGA", "password": PASSWORD}, status=201)
    assert created.json["id"] != owner.id
    again = {"Authorization": f"Bearer {log_in(app, 'olga', PASSWORD).json['token']}"}
    assert app.get("/api/project", headers=again).json["items"] == []
    app.get(project.path, headers=again, status=404)
    app.post_json("/api/project", {"name": "zoo"}, headers=again, status=201)
    app.get("/api/project", headers=owner.headers, status=401)
    app.get(project.targets, headers=write_token.headers, status=401)


class TestForOneselfAlone:
    """``user_access = self``."""

    @pytest.fixture
    def app(self, make_app):
        return make_app(user_access="self")

    def test_creating_stays_open(self, app, owner):
        app.post_json(LIST, NEW, status=201)
        app.post_json(LIST, NEW | {"login": "nils"}, headers=owner.headers, status=201)

    @pytest.mark.usefixtures("stranger")
    def test_the_list_is_oneself(self, app, owner, administrator):
        assert app.get(LIST, headers=owner.headers).json == {
            "items": [app.get(owner.path, headers=owner.headers).json],
            "next": None,
        }
        listed = app.get(LIST, headers=administrator.headers)
        assert [item["login"] for item in listed.json["items"]] in (["ada"], [])

    def test_nobody_else_reads_or_changes(self, app, stage, owner, stranger):
        before = stage.rows(table)
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            body = None if method in ("GET", "DELETE") else NEW
            assert "olga" not in app.call(method, owner.path, body, status=401)
            assert "olga" not in app.call(method, owner.path, body, who=stranger, status=403)
        assert stage.rows(table) == before

    def test_oneself_reads_changes_and_deletes(self, app, owner):
        app.get(owner.path, headers=owner.headers)
        app.patch_json(owner.path, {"login": "oona"}, headers=owner.headers)
        app.delete(owner.path, headers=owner.headers, status=204)
        app.get(owner.path, headers=owner.headers, status=401)

    def test_nothing_tells_strangers_who_exists(self, app, owner):
        missing = app.get(f"{LIST}/{owner.id + 1000}", status=401)
        assert missing.json == app.get(owner.path, status=401).json


@pytest.mark.parametrize(("access", "warned"), [("open", True), ("self", False)])
def test_the_server_warns_at_start_of_open_access(make_app, caplog, access, warned):
    caplog.set_level("WARNING")
    make_app(user_access=access)
    found = [record for record in caplog.records if "user_access" in record.getMessage()]
    assert bool(found) == warned


class TestReport:
    """Every change of a user leaves a line in the log."""

    @pytest.fixture
    def lines(self, caplog):
        caplog.set_level("INFO", "ar_targets.views.user")
        return lambda: [
            record.getMessage()
            for record in caplog.records
            if record.name == "ar_targets.views.user"
        ]

    def test_who_what_whom_and_from_where(self, app, owner, lines):
        away = {"REMOTE_ADDR": "192.0.2.7"}
        made = app.post_json(LIST, NEW, extra_environ=away).json["id"]
        app.patch_json(owner.path, {"login": "oona"}, headers=owner.headers)
        app.put_json(owner.path, NEW | {"login": "olga"})
        app.delete(f"{LIST}/{made}", extra_environ=away)
        assert lines() == [
            f"user {made} was created by anyone, from 192.0.2.7",
            f"user {owner.id} was changed (login) by user:{owner.id}, from 127.0.0.1",
            f"user {owner.id} was changed (login, password) by anyone, from 127.0.0.1",
            f"user {made} was deleted by anyone, from 192.0.2.7",
        ]

    def test_what_is_not_committed_is_not_reported(self, app, owner, administrator, lines):
        app.post_json(LIST, NEW | {"login": "olga"}, status=409)
        app.post_json(LIST, {"login": "nora"}, status=400)
        app.patch_json(owner.path, {"login": "ada"}, status=409)
        app.patch_json(owner.path, {})
        app.delete(administrator.path, status=403)
        assert lines() == []


class TestLimitOfChanges:
    """``user_change_rate``."""

    @pytest.fixture
    def app(self, make_app):
        return make_app(user_change_rate="3 per 1 minute", database_pool_size=1)

    def test_of_an_address(self, app, stage, owner):
        app.post_json(LIST, NEW, status=201)
        app.patch_json(owner.path, {"password": "another password"})
        app.put_json(owner.path, NEW | {"login": "oona"})
        before = stage.rows(table)
        body = NEW | {"login": "nils"}
        for call in (
            lambda: app.post_json(LIST, body, status=429),
            lambda: app.patch_json(owner.path, {"login": "nils"}, status=429),
            lambda: app.put_json(owner.path, body, status=429),
            lambda: app.delete(owner.path, status=429),
        ):
            assert 1 <= int(call().headers["Retry-After"]) <= 60
        assert stage.rows(table) == before
        app.get(owner.path)
        app.patch_json(owner.path, {})
        app.post_json(LIST, body, extra_environ={"REMOTE_ADDR": "192.0.2.7"}, status=201)

    def test_what_is_refused_anyway_does_not_count(self, app, owner, administrator):
        for _ in range(4):
            app.post_json(LIST, {"login": "nora"}, status=400)
            app.delete(administrator.path, status=403)
            app.delete(owner.path, headers={"If-Match": '"other"'}, status=412)
        app.post_json(LIST, NEW, status=201)

    def test_none_by_default(self, make_app):
        app = make_app()
        for n in range(8):
            app.post_json(LIST, NEW | {"login": f"nora {n}"}, status=201)
