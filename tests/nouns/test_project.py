"""``/api/project`` and ``/api/project/<id>``."""

import pytest

from ar_targets.db.base import fold

from ..client import faults
from ..tables import project as table

CREDENTIALS = """
/api/project
                   none garbage expired owner other admin write read foreign revoked
GET                401    401     401    200   200   200   403  403    403     401
HEAD               401    401     401    200   200   200   403  403    403     401
POST               401    401     401    201   201   201   403  403    403     401
GET    /{project}  401    401     401    200   403   403   403  403    403     401
HEAD   /{project}  401    401     401    200   403   403   403  403    403     401
PUT    /{project}  401    401     401    200   403   403   403  403    403     401
PATCH  /{project}  401    401     401    200   403   403   403  403    403     401
POST   /{project}/restore  401 401 401 200 404 404 403 403 403 401
GET    /{project}/usage  401 401 401 200 403 403 200 200 403 401
HEAD   /{project}/usage  401 401 401 200 403 403 200 200 403 401
DELETE /{project}  401    401     401    204   403   403   403  403    403     401
"""

BODIES = {"ProjectBody": {"name": "Park"}, "ProjectPatch": {"name": "Park"}}
STATEMENTS = {
    "list projects": ("owner", "GET", "/api/project", None, 2),
    "list deleted projects": ("owner", "GET", "/api/project?deleted=true", None, 2),
    # One of them counts; it is spared while much is left of the limit.
    "create a project": ("owner", "POST", "/api/project", {"name": "new"}, 4),
    "read what is used": ("owner", "GET", "{project.path}/usage", None, 2),
    "read a project": ("owner", "GET", "{project.path}", None, 1),
    "rename a project": ("owner", "PUT", "{project.path}", {"name": "new"}, 3),
    "restore a live project": ("owner", "POST", "{project.path}/restore", None, 3),
    "delete a project": ("owner", "DELETE", "{project.path}", None, 3),
}


def crowd_row(n, user_id, project_id):
    return {"owner_id": user_id, "name": f"p{n}", "name_key": fold(f"p{n}")}


LIST = "/api/project"


def test_create(app, owner):
    created = app.post_json(LIST, {"name": "Zoo"}, headers=owner.headers, status=201)
    assert created.json.keys() == {"id", "name", "created_at", "updated_at"}
    assert created.json["name"] == "Zoo"
    assert created.json["created_at"] == created.json["updated_at"]
    assert created.headers["Location"] == f"http://localhost{LIST}/{created.json['id']}"
    read = app.get(created.headers["Location"], headers=owner.headers)
    assert read.json == created.json
    assert read.headers["ETag"] == created.headers["ETag"]


@pytest.mark.parametrize(
    "name", ["x", "x" * 255, "  " + "x" * 255 + "\t\n", "動物園 🦁", 'a"b\\c</script>', "\u0301"]
)
def test_good_names(app, owner, name):
    created = app.post_json(LIST, {"name": name}, headers=owner.headers, status=201)
    assert created.json["name"] == name.strip()
    assert app.get(created.headers["Location"], headers=owner.headers).json == created.json


@pytest.mark.parametrize("name", ["", " \t\n", "x" * 256, None, 7, True, ["x"], {}, "a\0b"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_bad_names(app, stage, owner, project, name, method):
    path = LIST if method == "POST" else project.path
    refused = app.call(method, path, {"name": name}, who=owner, status=400)
    assert faults(refused) == {"name": "body"}
    assert [row["name"] for row in stage.rows(table)] == ["Zoo"]


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [
        ("Zoo", "Zoo"),
        ("Zoo", " zOO "),
        ("Straße", "STRASSE"),
        ("Café", "CAFE\u0301"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_a_name_is_taken_for_all_users_without_regard_to_case(
    app, stage, owner, stranger, taken, wanted
):
    stage.project(owner, taken)
    for user in (owner, stranger):
        refused = app.post_json(LIST, {"name": wanted}, headers=user.headers, status=409)
        assert faults(refused) == {"name": "body"}
        assert "olga" not in refused.text


@pytest.mark.parametrize("other", ["Cafe", "Ca fé", "Café.", "Кафе"])
def test_other_names_are_other_names(app, stage, owner, other):
    stage.project(owner, "Café")
    app.post_json(LIST, {"name": other}, headers=owner.headers, status=201)


def test_list_holds_the_callers_own(app, stage, owner, stranger, project, other_project):
    second = stage.project(owner, "Aquarium")
    listed = app.get(LIST, headers=owner.headers)
    assert [item["id"] for item in listed.json["items"]] == [project.id, second.id]
    assert listed.json["next"] is None
    assert listed.json["items"][0] == app.get(project.path, headers=owner.headers).json
    assert "Museum" not in listed
    assert [item["name"] for item in app.get(LIST, headers=stranger.headers).json["items"]] == [
        "Museum"
    ]


def test_an_administrator_sees_none_of_them(app, administrator, project):
    assert app.get(LIST, headers=administrator.headers).json["items"] == []
    app.get(project.path, headers=administrator.headers, status=403)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rename(app, owner, project, method):
    before = app.get(project.path, headers=owner.headers)
    renamed = app.call(method, project.path, {"name": " Tiergarten "}, who=owner, status=200)
    assert renamed.json["name"] == "Tiergarten"
    assert renamed.json["created_at"] == before.json["created_at"]
    assert renamed.json["updated_at"] > before.json["updated_at"]
    assert renamed.headers["ETag"] != before.headers["ETag"]
    after = app.get(project.path, headers=owner.headers)
    assert after.json == renamed.json
    assert after.headers["ETag"] == renamed.headers["ETag"]
    app.post_json(LIST, {"name": "Zoo"}, headers=owner.headers, status=201)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rename_to_ones_own_name_in_other_letters(app, owner, project, method):
    assert app.call(method, project.path, {"name": "ZOO"}, who=owner).json["name"] == "ZOO"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rename_to_a_taken_name(app, owner, project, other_project, method):
    app.call(method, project.path, {"name": "museum"}, who=owner, status=409)
    assert app.get(project.path, headers=owner.headers).json["name"] == "Zoo"


def test_put_needs_the_name_and_patch_does_not(app, owner, project):
    assert faults(app.put_json(project.path, {}, headers=owner.headers, status=400)) == {
        "name": "body"
    }
    before = app.get(project.path, headers=owner.headers)
    patched = app.patch_json(project.path, {}, headers=owner.headers, status=200)
    assert patched.json == before.json
    assert patched.headers["ETag"] == before.headers["ETag"]


def test_read_only_fields_may_come_back(app, owner, project):
    whole = app.get(project.path, headers=owner.headers).json
    whole |= {"id": 999, "created_at": "1999-01-01T00:00:00Z", "name": "Tierpark"}
    changed = app.put_json(project.path, whole, headers=owner.headers).json
    assert changed["id"] == project.id
    assert changed["created_at"] > "2000"
    assert changed["name"] == "Tierpark"


def test_delete(app, stage, owner, project, write_token, read_token, target):
    app.delete(project.path, headers=owner.headers, status=204)
    for path in (project.path, project.tokens, write_token.path):
        app.get(path, headers=owner.headers, status=404)
    app.delete(project.path, headers=owner.headers, status=404)
    app.put_json(project.path, {"name": "x"}, headers=owner.headers, status=404)
    for token in (write_token, read_token):
        for path in (project.targets, target.path, target.image):
            app.get(path, headers=token.headers, status=401)
    assert app.get(LIST, headers=owner.headers).json["items"] == []
    row = stage.rows(table)[0]
    assert row["name"] == "Zoo"
    assert row["deleted_at"] is not None


def test_a_deleted_name_is_free_again_and_the_new_project_another(
    app, owner, stranger, project, target, write_token
):
    app.delete(project.path, headers=owner.headers)
    created = app.post_json(LIST, {"name": "zoo"}, headers=stranger.headers, status=201)
    assert created.json["id"] != project.id
    path = f"{LIST}/{created.json['id']}"
    assert app.get(f"{path}/jwt", headers=stranger.headers).json["items"] == []
    app.get(f"{path}/imagetarget", headers=write_token.headers, status=401)


def test_a_stranger_changes_nothing(app, stage, stranger, project):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = None if method in ("GET", "DELETE") else {"name": "mine"}
        refused = app.call(method, project.path, body, who=stranger, status=403)
        assert "Zoo" not in refused
    assert [(row["name"], row["deleted_at"]) for row in stage.rows(table)] == [("Zoo", None)]


class TestRestore:
    """``POST /api/project/<id>/restore``."""

    def test_it_comes_back_with_what_was_live(self, app, owner, project, write_token, target):
        gone = app.call("POST", project.tokens, {}, who=owner, status=201).json
        app.call("DELETE", f"{project.tokens}/{gone['id']}", who=owner, status=204)
        app.call("DELETE", project.path, who=owner, status=204)
        app.call("GET", target.image, who=write_token, status=401)
        restored = app.call("POST", f"{project.path}/restore", who=owner, status=200)
        read = app.call("GET", project.path, who=owner, status=200)
        assert (restored.json, restored.headers["ETag"]) == (read.json, read.headers["ETag"])
        app.call("GET", target.image, who=write_token, status=200)
        token = app.call("GET", f"{project.tokens}/{gone['id']}", who=owner, status=200)
        assert token.json["valid"] is False

    def test_a_live_one_stays_as_it_is(self, app, owner, project):
        before = app.call("GET", project.path, who=owner, status=200)
        after = app.call("POST", f"{project.path}/restore", who=owner, status=200)
        assert (after.json, after.headers["ETag"]) == (before.json, before.headers["ETag"])

    def test_the_name_is_taken_meanwhile(self, app, owner, stranger, project):
        app.call("DELETE", project.path, who=owner, status=204)
        taken = {"name": project.name.upper()}
        other = app.call("POST", "/api/project", taken, who=stranger, status=201).json
        refused = app.call("POST", f"{project.path}/restore", who=owner, status=409)
        assert faults(refused) == {"name": "body"}
        assert "taken meanwhile" in refused.json["errors"][0]["description"]
        app.call("GET", project.path, who=owner, status=404)
        app.call("DELETE", f"/api/project/{other['id']}", who=stranger, status=204)
        app.call("POST", f"{project.path}/restore", who=owner, status=200)

    def test_others_do_not_learn_of_it(self, app, owner, stranger, project):
        app.call("DELETE", project.path, who=owner, status=204)
        app.call("POST", f"{project.path}/restore", who=stranger, status=404)
        app.call("POST", "/api/project/999999/restore", who=owner, status=404)

    @pytest.mark.parametrize("number", [2**63, 10**19 - 1])
    def test_an_id_that_no_row_can_have(self, app, owner, number):
        app.call("POST", f"/api/project/{number}/restore", who=owner, status=404)

    def test_what_is_being_purged_is_gone(self, app, stage, owner, project):
        app.call("DELETE", project.path, who=owner, status=204)
        with stage.engine.begin() as db:
            db.execute(table.update().values(purged_at=table.c.deleted_at))
        app.call("POST", f"{project.path}/restore", who=owner, status=404)
