"""``/api/project/<id>/jwt`` and ``/api/project/<id>/jwt/<token_id>``."""

from datetime import datetime, timedelta

import jwt
import pytest

from ar_targets import clock

from ..client import faults
from ..tables import token as table

CREDENTIALS = """
/api/project/{project}/jwt
                       none garbage expired owner other admin write read foreign revoked
GET                    401    401     401    200   403   403   403  403    403     401
HEAD                   401    401     401    200   403   403   403  403    403     401
POST                   401    401     401    201   403   403   403  403    403     401
GET    /{write_token}  401    401     401    200   403   403   403  403    403     401
HEAD   /{write_token}  401    401     401    200   403   403   403  403    403     401
PUT    /{write_token}  401    401     401    200   403   403   403  403    403     401
PATCH  /{write_token}  401    401     401    200   403   403   403  403    403     401
DELETE /{write_token}  401    401     401    204   403   403   403  403    403     401
"""

BODIES = {"TokenBody": {"ttl": 60}, "TokenTtlBody": {"ttl": 60}, "TokenTtlPatch": {"ttl": 60}}
STATEMENTS = {
    "list tokens": ("owner", "GET", "{project.tokens}", None, 2),
    "create a token": ("owner", "POST", "{project.tokens}", {}, 3),
    "read a token": ("owner", "GET", "{write_token.path}", None, 1),
    "extend a token": ("owner", "PATCH", "{write_token.path}", {"ttl": 60}, 3),
    "revoke a token": ("owner", "DELETE", "{write_token.path}", None, 3),
}


def crowd_row(n, user_id, project_id):
    now = clock.now()
    fixed = {"access": "read", "description": "", "ttl": 1, "expires_at": now}
    return {"project_id": project_id, "jti": f"{n:032x}"} | fixed


FIELDS = {
    "id", "project_id", "token", "access", "description", "ttl", "valid", "created_at",
    "updated_at", "expires_at", "revoked_at",
}  # fmt: skip
TWO_WEEKS, YEAR = 1_209_600, 31_536_000


def lifetime(body, since="updated_at"):
    return datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body[since])


def bearer(body):
    return {"Authorization": f"Bearer {body['token']}"}


def test_create_with_nothing(app, owner, project):
    created = app.post_json(project.tokens, {}, headers=owner.headers, status=201)
    body = created.json
    assert body.keys() == FIELDS
    assert body["project_id"] == project.id
    assert (body["access"], body["description"], body["ttl"]) == ("write", "", TWO_WEEKS)
    assert body["valid"] is True
    assert body["revoked_at"] is None
    assert lifetime(body) == timedelta(seconds=TWO_WEEKS)
    assert created.headers["Location"] == f"http://localhost{project.tokens}/{body['id']}"
    read = app.get(created.headers["Location"], headers=owner.headers)
    assert read.json == body
    assert read.headers["ETag"] == created.headers["ETag"]
    assert app.get(project.targets, headers=bearer(body)).json["items"] == []


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_an_empty_body_is_fine(app, owner, project, content_type):
    headers = owner.headers | ({"Content-Type": content_type} if content_type else {})
    created = app.request(project.tokens, method="POST", headers=headers, status=201)
    assert created.json["ttl"] == TWO_WEEKS


@pytest.mark.parametrize(
    "chosen",
    [
        {"ttl": 1},
        {"ttl": YEAR},
        {"access": "read"},
        {"access": "write"},
        {"description": ""},
        {"description": "ß" * 255},
        {"ttl": 60, "access": "read", "description": "app 1.0 🦁"},
    ],
)
def test_create_with_choices(app, owner, project, chosen):
    body = app.post_json(project.tokens, chosen, headers=owner.headers, status=201).json
    assert chosen.items() <= body.items()
    assert lifetime(body) == timedelta(seconds=body["ttl"])
    assert app.get(f"{project.tokens}/{body['id']}", headers=owner.headers).json["ttl"]


BAD_TTLS = [0, -1, YEAR + 1, 10**30, 1.5, 60.0, "60", True, None, [60]]
BAD_FIELDS = [
    ("ttl", BAD_TTLS),
    ("access", ["admin", "", "WRITE", None, 1, True, ["read"]]),
    ("description", ["d" * 256, None, 7, False, {}, "a\0b"]),
    ("exp", [60]),
    ("ttL", [60]),
]


@pytest.mark.parametrize(("field", "bad"), [(f, bad) for f, values in BAD_FIELDS for bad in values])
def test_create_with_bad_fields(app, stage, owner, project, field, bad):
    refused = app.post_json(project.tokens, {field: bad}, headers=owner.headers, status=400)
    assert faults(refused) == {field: "body"}
    assert stage.rows(table) == []


def test_all_faults_in_one_answer(app, owner, project):
    body = {"ttl": YEAR + 1, "access": "all", "description": 7, "typo": 1}
    refused = app.post_json(project.tokens, body, headers=owner.headers, status=400)
    assert faults(refused).keys() == body.keys()
    refused = app.post_json(
        project.tokens, {"ttl": 0, "typo": 1}, headers=owner.headers, status=400
    )
    assert faults(refused).keys() == {"ttl", "typo"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_change_with_all_faults_in_one_answer(app, owner, write_token, method):
    refused = app.call(method, write_token.path, {"ttl": 0, "typo": 1}, who=owner, status=400)
    assert faults(refused).keys() == {"ttl", "typo"}


def test_the_limits_are_settings(make_app, owner, project):
    app = make_app(project_token_ttl=50, project_token_max_ttl=100)

    def create(body, status):
        return app.post_json(project.tokens, body, headers=owner.headers, status=status)

    assert create({}, 201).json["ttl"] == 50
    assert create({"ttl": 100}, 201).json["ttl"] == 100
    assert "100" in create({"ttl": 101}, 400).json["errors"][0]["description"]


def test_list_holds_the_dead_ones_too(app, stage, owner, project, write_token, other_token):
    expired, revoked = stage.app(project), stage.app(project, "read")
    stage.expire(expired)
    stage.revoke(revoked)
    listed = app.get(project.tokens, headers=owner.headers).json
    assert [(item["id"], item["valid"]) for item in listed["items"]] == [
        (write_token.id, True),
        (expired.id, False),
        (revoked.id, False),
    ]
    assert [item["revoked_at"] is None for item in listed["items"]] == [True, True, False]
    assert listed["next"] is None
    for item in listed["items"]:
        assert item == app.get(f"{project.tokens}/{item['id']}", headers=owner.headers).json
    assert other_token.token not in str(listed)


def test_the_token_is_the_same_string_at_every_look(app, owner, write_token):
    for _ in range(2):
        assert app.get(write_token.path, headers=owner.headers).json["token"] == write_token.token


def test_the_string_names_no_time_at_which_it_ends(app, write_token):
    claims = jwt.decode(write_token.token, options={"verify_signature": False})
    assert "exp" not in claims


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("ttl", [1, 60, YEAR])
def test_a_new_ttl_counts_from_now_and_holds_for_the_same_string(
    app, stage, owner, project, write_token, method, ttl
):
    stage.expire(write_token)
    app.get(project.targets, headers=write_token.headers, status=401)
    before = app.get(write_token.path, headers=owner.headers)
    changed = app.call(method, write_token.path, {"ttl": ttl}, who=owner, status=200)
    assert changed.json["ttl"] == ttl
    assert changed.json["valid"] is True
    assert lifetime(changed.json) == timedelta(seconds=ttl)
    assert changed.json["token"] == before.json["token"] == write_token.token
    assert changed.json["created_at"] == before.json["created_at"]
    assert changed.headers["ETag"] != before.headers["ETag"]
    assert app.get(write_token.path, headers=owner.headers).json == changed.json
    app.get(project.targets, headers=write_token.headers)


def test_a_shorter_ttl_holds_as_well(app, stage, owner, project, write_token):
    app.patch_json(write_token.path, {"ttl": 1}, headers=owner.headers)
    stage.expire(write_token)
    app.get(project.targets, headers=write_token.headers, status=401)


@pytest.mark.parametrize("bad", BAD_TTLS)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_bad_ttls(app, owner, write_token, method, bad):
    before = app.get(write_token.path, headers=owner.headers).json
    refused = app.call(method, write_token.path, {"ttl": bad}, who=owner, status=400)
    assert faults(refused) == {"ttl": "body"}
    assert app.get(write_token.path, headers=owner.headers).json == before


def test_put_needs_the_ttl_and_patch_does_not(app, owner, write_token):
    refused = app.put_json(write_token.path, {}, headers=owner.headers, status=400)
    assert faults(refused) == {"ttl": "body"}
    before = app.get(write_token.path, headers=owner.headers)
    patched = app.patch_json(write_token.path, {}, headers=owner.headers)
    assert patched.json == before.json
    assert patched.headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_other_fields_are_read_only_after_creation(app, owner, read_token, method):
    before = app.get(read_token.path, headers=owner.headers).json
    sent = before | {"ttl": 77, "access": "write", "description": "new", "valid": False}
    changed = app.call(method, read_token.path, sent, who=owner).json
    assert changed["ttl"] == 77
    for field in ("id", "access", "description", "token", "project_id", "created_at"):
        assert changed[field] == before[field]
    assert changed["valid"] is True


def test_delete_invalidates_at_once_and_may_be_repeated(
    app, owner, project, write_token, read_token, target
):
    app.delete(write_token.path, headers=owner.headers, status=204)
    for path in (project.targets, target.path, target.image):
        app.get(path, headers=write_token.headers, status=401)
        app.get(path, headers=read_token.headers)
    shown = app.get(write_token.path, headers=owner.headers).json
    assert shown["valid"] is False
    assert shown["revoked_at"] == shown["updated_at"]
    app.delete(write_token.path, headers=owner.headers, status=204)
    assert app.get(write_token.path, headers=owner.headers).json == shown


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_revoked_token_cannot_be_extended(app, stage, owner, project, write_token, method):
    stage.revoke(write_token)
    before = app.get(write_token.path, headers=owner.headers).json
    app.call(method, write_token.path, {"ttl": 60}, who=owner, status=409)
    app.call(method, write_token.path, {"ttl": 0}, who=owner, status=400)
    assert app.get(write_token.path, headers=owner.headers).json == before
    app.get(project.targets, headers=write_token.headers, status=401)


def test_a_patch_of_nothing_does_nothing_to_a_revoked_token_either(app, stage, owner, write_token):
    stage.revoke(write_token)
    app.patch_json(write_token.path, {}, headers=owner.headers, status=200)


def test_a_purged_token_is_gone(app, stage, owner, project, write_token):
    with stage.engine.begin() as connection:
        connection.execute(table.delete())
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {"ttl": 60} if method in ("PUT", "PATCH") else None
        app.call(method, write_token.path, body, who=owner, status=404)
    app.get(project.targets, headers=write_token.headers, status=401)


def test_a_token_below_another_project_is_not_there(
    app, stage, owner, project, write_token, other_token
):
    second = stage.project(owner, "Aquarium")
    app.get(f"{second.tokens}/{write_token.id}", headers=owner.headers, status=404)
    app.get(f"{project.tokens}/{other_token.id}", headers=owner.headers, status=404)
    app.delete(f"{second.tokens}/{write_token.id}", headers=owner.headers, status=404)
    app.get(project.targets, headers=write_token.headers)


def test_a_stranger_gets_no_token(app, stage, stranger, project, write_token):
    for method, path in (("GET", project.tokens), ("POST", project.tokens)):
        refused = app.call(method, path, None, who=stranger, status=403)
        assert write_token.token not in refused
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {"ttl": 60} if method in ("PUT", "PATCH") else None
        refused = app.call(method, write_token.path, body, who=stranger, status=403)
        assert write_token.token not in refused
    rows = stage.rows(table)
    assert [(row["id"], row["ttl"], row["revoked_at"]) for row in rows] == [
        (write_token.id, 600, None)
    ]


def test_no_row_holds_a_token(app, stage, owner, project):
    body = app.post_json(project.tokens, {}, headers=owner.headers).json
    row = stage.rows(table)[0]
    assert body["token"] not in map(str, row.values())
    assert row["jti"] not in {str(value) for name, value in body.items() if name != "token"}
