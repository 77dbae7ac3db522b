"""The audit trail: an entry for each change, and none without one."""

import base64
import hashlib

import orjson
import pytest
from sqlalchemy import text

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import soft_delete
from ar_targets.models.audit import TEXT_MAX
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.user import User

from ..actors import PASSWORD
from ..panel import Panel
from ..pictures import CHINA, FLOWER
from ..tables import audit as table

IMAGE = base64.b64encode(FLOWER).decode()
SHA256 = hashlib.sha256(FLOWER).hexdigest()
SHA256_CHINA = hashlib.sha256(CHINA).hexdigest()


@pytest.fixture
def trail(stage):
    """What has been written since the last look, oldest first."""
    seen: set[int] = set()

    def look():
        new = [entry for entry in stage.rows(table) if entry["id"] not in seen]
        seen.update(entry["id"] for entry in new)
        return [entry | {"details": orjson.loads(entry["details"])} for entry in new]

    return look


def told(entry):
    """An entry in short."""
    return f"{entry['action']} {entry['noun']}", entry["row_id"], entry["details"]


def test_who_and_from_where(app, owner, project, trail):
    trail()
    app.call(
        "PATCH", project.path, {"name": "Park"}, who=owner, status=200, x_request_id="from-a-test"
    )
    (entry,) = trail()
    assert told(entry) == ("change project", project.id, {"name": "Park"})
    assert entry["actor"] == f"user:{owner.id}"
    assert (entry["via"], entry["request_id"]) == ("api", "from-a-test")
    shown = app.call("GET", project.path, who=owner).json
    assert clock.rfc3339(entry["at"]) == shown["updated_at"]


def test_logins(app, owner, trail):
    trail()
    login = {"login": "olga", "password": PASSWORD}
    app.call("POST", "/api/login", login, status=200)
    for wrong in ({"password": "wrong"}, {"login": "nobody"}):
        app.call("POST", "/api/login", login | wrong, status=401)
    entries = trail()
    assert [told(entry) for entry in entries] == [
        ("login user", owner.id, {}),
        ("login failed user", owner.id, {}),
        ("login failed user", 0, {}),
    ]
    assert [entry["actor"] for entry in entries] == [f"user:{owner.id}", "anyone", "anyone"]
    assert {entry["via"] for entry in entries} == {"api"}


def test_logins_into_the_panel(app, visitor, administrator, trail):
    trail()
    visitor.log_in(status=303)
    Panel(app.app).log_in("olga", "wrong", status=401)
    made, failed = trail()
    assert told(made) == ("login user", administrator.id, {})
    assert (made["actor"], made["via"]) == (f"user:{administrator.id}", "admin")
    assert (told(failed), failed["via"]) == (("login failed user", 0, {}), "admin")


def test_no_trail_of_logins_where_there_is_none(make_app, owner, trail):
    app = make_app(audit_days=0)
    trail()
    app.call("POST", "/api/login", {"login": "olga", "password": PASSWORD}, status=200)
    app.call("POST", "/api/login", {"login": "olga", "password": "wrong"}, status=401)
    assert trail() == []


def test_address(app, trail):
    created = app.post_json(
        "/api/user",
        {"login": "nora", "password": PASSWORD},
        extra_environ={"REMOTE_ADDR": "192.0.2.7"},
    )
    (entry,) = trail()
    assert told(entry) == ("create user", created.json["id"], {"login": "nora", "is_admin": False})
    assert (entry["actor"], entry["address"]) == ("anyone", "192.0.2.7")


def test_an_address_of_any_length(app, trail):
    app.post_json(
        "/api/user",
        {"login": "nora", "password": PASSWORD},
        extra_environ={"REMOTE_ADDR": "x" * 1000},
        status=201,
    )
    assert trail()[0]["address"] == "x" * 64


def test_user(app, owner, trail):
    trail()
    app.call("PATCH", owner.path, {"password": "another password"}, status=200)
    app.call("PATCH", owner.path, {"login": "oleg"}, status=200)
    app.call("DELETE", owner.path, status=204)
    entries = trail()
    assert [told(entry) for entry in entries] == [
        ("change user", owner.id, {"password": "set"}),
        ("change user", owner.id, {"login": "oleg"}),
        ("delete user", owner.id, {}),
    ]
    assert "another password" not in str(entries)


def test_project_and_token(app, owner, trail):
    trail()
    made = app.call("POST", "/api/project", {"name": "Zoo"}, who=owner).json
    path = f"/api/project/{made['id']}"
    token = app.call("POST", f"{path}/jwt", {"ttl": 60, "description": "shop"}, who=owner).json
    app.call("PATCH", f"{path}/jwt/{token['id']}", {"ttl": 90}, who=owner, status=200)
    app.call("DELETE", f"{path}/jwt/{token['id']}", who=owner, status=204)
    app.call("DELETE", path, who=owner, status=204)
    entries = trail()
    shown = {"project": made["id"], "ttl": 60, "access": "write", "description": "shop"}
    assert [told(entry) for entry in entries] == [
        ("create project", made["id"], {"owner": owner.id, "name": "Zoo"}),
        ("create token", token["id"], shown),
        ("change token", token["id"], {"ttl": 90}),
        ("revoke token", token["id"], {}),
        ("delete project", made["id"], {}),
    ]
    assert {entry["actor"] for entry in entries} == {f"user:{owner.id}"}
    assert token["token"] not in str(entries)


def test_target(app, project, write_token, trail):
    trail()
    body = {"image": IMAGE, "description": "d" * (TEXT_MAX + 1)}
    made = app.call("POST", project.targets, body, who=write_token).json
    path = f"{project.targets}/{made['id']}"
    app.call("PATCH", path, {"description": "rose"}, who=write_token, status=200)
    app.call("DELETE", path, who=write_token, status=204)
    entries = trail()
    shown = {"description": "d" * TEXT_MAX, "active": True, "sha256": SHA256}
    shown |= {"project": project.id}
    assert [told(entry) for entry in entries] == [
        ("create target", made["id"], shown),
        ("change target", made["id"], {"description": "rose"}),
        ("delete target", made["id"], {}),
    ]
    assert {entry["actor"] for entry in entries} == {f"token:{write_token.id}"}


@pytest.mark.parametrize("character", ["\x01", "\\", '"', "🧜"])
def test_the_longest_details_fit(app, owner, project, write_token, trail, character):
    trail()
    app.call("PATCH", project.path, {"name": character * 255}, who=owner, status=200)
    body = {"image": IMAGE, "description": character * TEXT_MAX}
    app.call("POST", project.targets, body, who=write_token, status=201)
    renamed, created = trail()
    assert renamed["details"]["name"] == character * TEXT_MAX
    assert created["details"]["description"] == character * TEXT_MAX


def test_restored(stage, owner, project, target, trail):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Target, target.id)
        soft_delete.delete(db, User, owner.id)
    trail()
    with transaction_scope(stage.engine) as db:
        soft_delete.restore(db, User, owner.id)
        soft_delete.restore(db, Target, target.id)
        soft_delete.delete(db, Project, project.id)
        soft_delete.restore(db, Project, project.id)
    entries = trail()
    assert [told(entry) for entry in entries] == [
        ("restore user", owner.id, {"login": "olga", "is_admin": False}),
        (
            "restore target",
            target.id,
            {
                "project": project.id,
                "description": "a gate",
                "active": True,
                "sha256": SHA256_CHINA,
            },
        ),
        ("delete project", project.id, {}),
        ("restore project", project.id, {"name": "Zoo", "owner": owner.id}),
    ]
    assert {(entry["actor"], entry["via"]) for entry in entries} == {("script", "script")}


def test_what_changes_nothing_leaves_nothing(app, owner, project, other_project, trail):
    trail()
    refused = {
        400: ("PATCH", {"name": ""}, {}),
        409: ("PATCH", {"name": other_project.name}, {}),
        412: ("PATCH", {"name": "Park"}, {"if_match": '"other"'}),
        200: ("PATCH", {}, {}),
    }
    for status, (method, body, headers) in refused.items():
        app.call(method, project.path, body, who=owner, status=status, **headers)
    assert trail() == []


def test_no_change_without_its_entry(app, stage, owner, project):
    with stage.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    try:
        app.call("PATCH", project.path, {"name": "Park"}, who=owner, status=500)
        assert app.call("GET", project.path, who=owner).json["name"] == project.name
    finally:
        with stage.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO audit"))


def test_no_trail_where_none_is_wanted(make_app, owner, project, trail):
    trail()
    make_app(audit_days=0).call("PATCH", project.path, {"name": "Park"}, who=owner, status=200)
    assert trail() == []
