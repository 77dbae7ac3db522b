"""``/api/project/<id>/member``, and what members may do with projects and their tokens."""

import functools

import pytest

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import hard_delete, membership, purge, soft_delete
from ar_targets.models import member as members
from ar_targets.models import project as projects
from ar_targets.models import token as tokens
from ar_targets.models import user as users
from ar_targets.models.project import Project
from ar_targets.models.user import User

from .. import tables
from ..client import faults
from ..invariants import broken
from ..tables import member as table
from ..tables import token as token_table
from .test_user import CROWD

CREDENTIALS = """
/api/project/{project}/member
                 none garbage expired owner other admin write read foreign revoked
GET              401    401     401    200   403   403   403  403    403     401
HEAD             401    401     401    200   403   403   403  403    403     401
POST             401    401     401    201   403   403   403  403    403     401
GET    /{viewer} 401    401     401    200   403   403   403  403    403     401
HEAD   /{viewer} 401    401     401    200   403   403   403  403    403     401
PATCH  /{viewer} 401    401     401    200   403   403   403  403    403     401
DELETE /{viewer} 401    401     401    204   403   403   403  403    403     401
"""

MEMBER_CALLERS = ["editor", "viewer", "former", "other"]
# The bodies are those of owners: the token that is asked for writes.
MEMBER_CREDENTIALS = """
/api/project/{project}
                            editor viewer former other
GET                           200    200    403   403
HEAD                          200    200    403   403
PUT                           403    403    403   403
PATCH                         403    403    403   403
DELETE                        403    403    403   403
POST   /restore               404    404    404   404
GET    /usage                 200    200    403   403
HEAD   /usage                 200    200    403   403
GET    /jwt                   200    200    403   403
HEAD   /jwt                   200    200    403   403
POST   /jwt                   201    403    403   403
GET    /jwt/{write_token}     403    403    403   403
HEAD   /jwt/{write_token}     403    403    403   403
PUT    /jwt/{write_token}     403    403    403   403
PATCH  /jwt/{write_token}     403    403    403   403
DELETE /jwt/{write_token}     403    403    403   403
GET    /jwt/{editors_token}   200    403    403   403
HEAD   /jwt/{editors_token}   200    403    403   403
PUT    /jwt/{editors_token}   200    403    403   403
PATCH  /jwt/{editors_token}   200    403    403   403
DELETE /jwt/{editors_token}   204    403    403   403
GET    /jwt/{formers_token}   403    403    403   403
PATCH  /jwt/{formers_token}   403    403    403   403
DELETE /jwt/{formers_token}   403    403    403   403
GET    /member                403    403    403   403
POST   /member                403    403    403   403
GET    /member/{viewer}       403    403    403   403
PATCH  /member/{viewer}       403    403    403   403
DELETE /member/{viewer}       403    204    403   403
DELETE /member/{editor}       204    403    403   403
GET    /imagetarget           403    403    403   403
POST   /imagetarget           403    403    403   403
GET    /imagetarget/{target}  403    403    403   403
DELETE /imagetarget/{target}  403    403    403   403
"""

BODIES = {
    "MemberBody": {"login": "stefan", "role": "editor"},
    "MemberRolePatch": {"role": "viewer"},
}
STATEMENTS = {
    "list members": ("owner", "GET", "{project.members}", None, 2),
    "read a member": ("owner", "GET", "{project.members}/{viewer.id}", None, 2),
    "add a member": ("owner", "POST", "{project.members}", {"login": "u7", "role": "editor"}, 4),
    "raise a role": ("owner", "PATCH", "{project.members}/{viewer.id}", {"role": "editor"}, 4),
    "lower a role": ("owner", "PATCH", "{project.members}/{editor.id}", {"role": "viewer"}, 5),
    "remove a member": ("owner", "DELETE", "{project.members}/{viewer.id}", None, 6),
    "remove a member with a token": (
        "owner", "DELETE", "{project.members}/{editor.id}?{editors_token.id}", None, 8,
    ),
    "leave a project": ("viewer", "DELETE", "{project.members}/{viewer.id}", None, 6),
    "list shared projects": ("viewer", "GET", "/api/project?member=true", None, 2),
    "read a shared project": ("viewer", "GET", "{project.path}", None, 1),
    "list a member's tokens": ("editor", "GET", "{project.tokens}", None, 2),
    "create a member's token": ("editor", "POST", "{project.tokens}", {}, 3),
    "read a member's token": ("editor", "GET", "{editors_token.path}", None, 1),
    "extend a member's token": ("editor", "PATCH", "{editors_token.path}", {"ttl": 60}, 3),
}  # fmt: skip


def crowd_row(n, user_id, project_id):
    return {"user_id": CROWD + n, "project_id": project_id, "role": "viewer"}


FIELDS = {"user_id", "login", "role", "created_at", "updated_at"}


@pytest.fixture
def editors_token(stage, project, editor):
    return stage.app(project, by=editor)


@pytest.fixture
def viewers_token(stage, project, viewer):
    return stage.app(project, "read", by=viewer)


@pytest.fixture
def formers_token(stage, project, former):
    stage.share(project, former, "editor")
    token = stage.app(project, by=former)
    stage.unshare(project, former)
    return token


pytestmark = pytest.mark.usefixtures("consistent")


@pytest.fixture
def consistent(stage):
    """What the rules of all rows say, they say after each of these tests."""
    yield
    assert broken(stage.engine) == []


def add(app, owner, project, login, role="editor", status=201):
    body = {"login": login, "role": role}
    return app.post_json(project.members, body, headers=owner.headers, status=status)


def path_of(project, user):
    return f"{project.members}/{user.id}"


def works(app, project, token):
    return app.get(project.targets, headers=token.headers, status="*").status_int == 200


def ids(listed):
    return [item["id"] for item in listed.json["items"]]


class TestAdding:
    @pytest.mark.parametrize("role", ["editor", "viewer"])
    def test_by_login(self, app, owner, stranger, project, role):
        made = add(app, owner, project, "STEFAN", role)
        assert made.json.keys() == FIELDS
        assert made.json | {"user_id": stranger.id, "login": "stefan", "role": role} == made.json
        assert made.json["created_at"] == made.json["updated_at"]
        assert made.headers["Location"] == f"http://localhost{path_of(project, stranger)}"
        read = app.get(path_of(project, stranger), headers=owner.headers)
        assert (read.json, read.headers["ETag"]) == (made.json, made.headers["ETag"])
        assert app.get(project.members, headers=owner.headers).json["items"] == [made.json]

    def test_nobody(self, app, stage, owner, stranger, project):
        stage.delete(User, stranger.id)
        for login in ("nobody", "stefan"):
            refused = add(app, owner, project, login, status=404)
            assert faults(refused) == {"login": "body"}
        assert stage.rows(table) == []

    @pytest.mark.usefixtures("viewer")
    def test_a_member_already(self, app, stage, owner, project):
        refused = add(app, owner, project, "Victor", "editor", status=409)
        assert faults(refused) == {"login": "body"}
        assert [row["role"] for row in stage.rows(table)] == ["viewer"]

    def test_the_owner(self, app, stage, owner, project):
        assert faults(add(app, owner, project, "olga", status=409)) == {"login": "body"}
        assert stage.rows(table) == []

    def test_again_after_the_end(self, app, owner, former, formers_token, project):
        add(app, owner, project, "fritz")
        assert not works(app, project, formers_token)
        shown = app.get(formers_token.path, headers=former.headers)
        assert shown.json["valid"] is False

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({}, {"login", "role"}),
            ({"login": "stefan"}, {"role"}),
            ({"login": "stefan", "role": "owner"}, {"role"}),
            ({"login": "stefan", "role": "Editor"}, {"role"}),
            ({"login": "stefan", "role": None}, {"role"}),
            ({"login": 7, "role": "editor"}, {"login"}),
            ({"login": "", "role": 1, "id": 1}, {"login", "role", "id"}),
            ({"login": "x" * 65, "role": "editor"}, {"login"}),
        ],
    )
    @pytest.mark.usefixtures("stranger")
    def test_bad_bodies(self, app, stage, owner, project, body, wrong):
        refused = app.post_json(project.members, body, headers=owner.headers, status=400)
        assert faults(refused) == dict.fromkeys(wrong, "body")
        assert stage.rows(table) == []


class TestLists:
    def test_of_members_page_by_page(self, app, stage, owner, project):
        made = [stage.member(project, f"m{n}", "viewer") for n in range(5)]
        seen, address = [], f"{project.members}?limit=2"
        while address:
            listed = app.get(address, headers=owner.headers).json
            seen += [item["user_id"] for item in listed["items"]]
            assert len(listed["items"]) <= 2
            address = listed["next"]
        assert seen == [user.id for user in made]

    def test_of_shared_projects(self, app, stage, viewer, project, other_project, owner):
        stage.share(other_project, viewer, "editor")
        own, gone = stage.project(viewer, "Own"), stage.project(owner, "Gone")
        stage.share(gone, viewer, "viewer")
        stage.delete(Project, gone.id)
        assert ids(app.get("/api/project", headers=viewer.headers)) == [own.id]
        listed = app.get("/api/project?member=true", headers=viewer.headers)
        assert [(item["id"], item["role"]) for item in listed.json["items"]] == [
            (project.id, "viewer"),
            (other_project.id, "editor"),
        ]
        del listed.json["items"][0]["role"]
        read = app.get(project.path, headers=viewer.headers).json
        assert read.items() <= listed.json["items"][0].items()
        first = app.get("/api/project?member=true&limit=1", headers=viewer.headers)
        second = app.get(first.json["next"], headers=viewer.headers)
        assert ids(first) + ids(second) == [project.id, other_project.id]
        assert second.json["next"] is None
        assert ids(app.get("/api/project?member=true", headers=owner.headers)) == []
        assert ids(app.get("/api/project?member=false", headers=viewer.headers)) == [own.id]

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ("member=true&deleted=true", {"member"}),
            ("member=yes", {"member"}),
            ("member=true&deleted=true&limit=0", {"member", "limit"}),
        ],
    )
    def test_bad_queries(self, app, viewer, query, wrong):
        refused = app.get(f"/api/project?{query}", headers=viewer.headers, status=400)
        assert faults(refused) == dict.fromkeys(wrong, "querystring")

    def test_without_deleted_users(self, app, stage, owner, editor, viewer, project):
        stage.delete(User, editor.id)
        listed = app.get(project.members, headers=owner.headers).json["items"]
        assert [item["user_id"] for item in listed] == [viewer.id]
        app.get(path_of(project, editor), headers=owner.headers, status=404)
        app.delete(path_of(project, editor), headers=owner.headers, status=404)


class TestSharedProject:
    def test_is_read_by_members_as_by_the_owner(self, app, owner, viewer, project):
        owners = app.get(project.path, headers=owner.headers)
        read = app.get(project.path, headers=viewer.headers)
        assert (read.json, read.headers["ETag"]) == (owners.json, owners.headers["ETag"])
        app.call("GET", project.path, who=viewer, if_none_match=read.headers["ETag"], status=304)

    def test_is_gone_for_members_with_its_owner(self, app, stage, owner, viewer, project):
        stage.delete(User, owner.id)
        app.get(project.path, headers=viewer.headers, status=404)
        assert ids(app.get("/api/project?member=true", headers=viewer.headers)) == []

    def test_comes_back_with_its_members(self, app, owner, viewer, viewers_token, project):
        app.delete(project.path, headers=owner.headers, status=204)
        assert not works(app, project, viewers_token)
        app.post(f"{project.path}/restore", headers=owner.headers, status=200)
        assert works(app, project, viewers_token)
        app.get(project.path, headers=viewer.headers)


class TestTokens:
    @pytest.mark.parametrize(
        ("who", "body", "status"),
        [
            ("editor", {}, 201),
            ("editor", {"access": "write"}, 201),
            ("editor", {"access": "read"}, 201),
            ("viewer", {"access": "read"}, 201),
            ("viewer", {"access": "write"}, 403),
            ("viewer", {}, 403),
        ],
    )
    def test_by_role(self, request, app, stage, project, who, body, status):
        user = request.getfixturevalue(who)
        answer = app.post_json(project.tokens, body, headers=user.headers, status=status)
        if status == 403:
            assert faults(answer) == {"access": "body"}
            assert "'read'" in answer.json["errors"][0]["description"]
            assert stage.rows(token_table) == []
        else:
            bearer = {"Authorization": f"Bearer {answer.json['token']}"}
            app.get(project.targets, headers=bearer)
            assert app.get(answer.headers["Location"], headers=user.headers).json == answer.json
            assert [row["created_by"] for row in stage.rows(token_table)] == [user.id]

    def test_a_wrong_body_of_a_viewer(self, app, viewer, project):
        app.post_json(project.tokens, {"access": "all"}, headers=viewer.headers, status=400)

    def test_each_sees_its_own_and_the_owner_all(
        self, app, owner, editor, viewer, project, write_token, editors_token, viewers_token
    ):
        tokens = [write_token.id, editors_token.id, viewers_token.id]
        assert ids(app.get(project.tokens, headers=owner.headers)) == tokens
        assert ids(app.get(project.tokens, headers=editor.headers)) == [editors_token.id]
        assert ids(app.get(project.tokens, headers=viewer.headers)) == [viewers_token.id]

    @pytest.mark.usefixtures("write_token")
    def test_a_members_list_page_by_page(self, app, stage, editor, project):
        made = [stage.app(project, by=editor).id for _ in range(3)]
        first = app.get(f"{project.tokens}?limit=2", headers=editor.headers)
        second = app.get(first.json["next"], headers=editor.headers)
        assert ids(first) + ids(second) == made

    def test_the_owner_manages_those_of_members(self, app, owner, project, editors_token):
        app.patch_json(editors_token.path, {"ttl": 7}, headers=owner.headers, status=200)
        app.delete(editors_token.path, headers=owner.headers, status=204)
        assert not works(app, project, editors_token)

    def test_a_member_extends_and_revokes_its_own(self, app, stage, editor, project, editors_token):
        stage.expire(editors_token)
        extended = app.patch_json(editors_token.path, {"ttl": 60}, headers=editor.headers)
        assert (extended.json["ttl"], extended.json["valid"]) == (60, True)
        assert works(app, project, editors_token)
        for _ in range(2):
            app.delete(editors_token.path, headers=editor.headers, status=204)
        assert not works(app, project, editors_token)

    def test_not_even_the_maker_sees_them_after_the_end(self, app, former, formers_token):
        app.get(formers_token.path, headers=former.headers, status=403)


class TestRoles:
    def test_lower(self, app, stage, owner, editor, project, editors_token, write_token):
        reading, expired = stage.app(project, "read", by=editor), stage.app(project, by=editor)
        stage.expire(expired)
        before = app.get(path_of(project, editor), headers=owner.headers)
        changed = app.patch_json(
            path_of(project, editor), {"role": "viewer"}, headers=owner.headers
        )
        assert changed.json == before.json | {
            "role": "viewer",
            "updated_at": changed.json["updated_at"],
        }
        assert changed.headers["ETag"] != before.headers["ETag"]
        again = app.get(path_of(project, editor), headers=owner.headers)
        assert (again.json, again.headers["ETag"]) == (changed.json, changed.headers["ETag"])
        assert [works(app, project, token) for token in (editors_token, reading, write_token)] == [
            False,
            True,
            True,
        ]
        # An expired one could be extended.
        app.patch_json(expired.path, {"ttl": 60}, headers=editor.headers, status=409)
        app.post_json(project.tokens, {"access": "write"}, headers=editor.headers, status=403)

    def test_raise(self, app, owner, viewer, project, viewers_token):
        app.patch_json(path_of(project, viewer), {"role": "editor"}, headers=owner.headers)
        assert works(app, project, viewers_token)
        app.post_json(project.tokens, {"access": "write"}, headers=viewer.headers, status=201)

    def test_what_the_server_sent_may_be_sent_back(self, app, owner, viewer, project):
        read = app.get(path_of(project, viewer), headers=owner.headers).json
        body = read | {"role": "editor", "login": "other"}
        changed = app.patch_json(path_of(project, viewer), body, headers=owner.headers).json
        assert (changed["role"], changed["login"]) == ("editor", "victor")

    def test_a_patch_of_nothing(self, app, owner, viewer, project):
        read = app.get(path_of(project, viewer), headers=owner.headers)
        patched = app.patch_json(path_of(project, viewer), {}, headers=owner.headers)
        assert (patched.json, patched.headers["ETag"]) == (read.json, read.headers["ETag"])

    @pytest.mark.parametrize("role", ["owner", "", None, 1])
    def test_bad_roles(self, app, owner, viewer, project, role):
        path = path_of(project, viewer)
        refused = app.patch_json(path, {"role": role}, headers=owner.headers, status=400)
        assert faults(refused) == {"role": "body"}

    @pytest.mark.parametrize(("method", "body"), [("PATCH", {"role": "editor"}), ("DELETE", None)])
    def test_if_match(self, app, stage, owner, viewer, project, method, body):
        path = path_of(project, viewer)
        old = app.get(path, headers=owner.headers).headers["ETag"]
        new = app.patch_json(path, {"role": "viewer"}, headers=owner.headers).headers["ETag"]
        app.call(method, path, body, who=owner, if_match=old, status=412)
        assert [row["role"] for row in stage.rows(table)] == ["viewer"]
        app.call("GET", path, who=owner, if_none_match=new, status=304)
        status = 200 if body else 204
        app.call(method, path, body, who=owner, if_match=new, status=status)

    def test_a_new_login_is_another_etag(self, app, owner, viewer, project):
        old = app.get(path_of(project, viewer), headers=owner.headers)
        app.patch_json(viewer.path, {"login": "vera"}, status=200)
        new = app.get(path_of(project, viewer), headers=owner.headers)
        assert new.json["login"] == "vera"
        assert new.headers["ETag"] != old.headers["ETag"]


class TestEnds:
    @pytest.mark.parametrize("who", ["owner", "editor"])
    def test_of_a_membership(self, request, app, editor, project, editors_token, write_token, who):
        caller = request.getfixturevalue(who)
        app.delete(path_of(project, editor), headers=caller.headers, status=204)
        assert not works(app, project, editors_token)
        assert works(app, project, write_token)
        app.get(project.path, headers=editor.headers, status=403)
        app.delete(path_of(project, editor), headers=caller.headers, status=404)

    def test_of_one_leaves_the_others(
        self, app, stage, owner, editor, project, other_project, viewers_token
    ):
        stage.share(other_project, editor, "editor")
        elsewhere, here = stage.app(other_project, by=editor), stage.app(project, by=editor)
        app.delete(path_of(project, editor), headers=owner.headers, status=204)
        assert works(app, other_project, elsewhere)
        assert works(app, project, viewers_token)
        assert not works(app, project, here)

    def test_of_the_user(self, app, stage, owner, editor, project, editors_token, write_token):
        own = stage.app(stage.project(editor, "Own"))
        app.delete(editor.path, status=204)
        assert not works(app, project, editors_token)
        assert works(app, project, write_token)
        with transaction_scope(stage.engine) as db:
            soft_delete.restore(db, User, editor.id)
        listed = app.get(project.members, headers=owner.headers).json["items"]
        assert [item["role"] for item in listed] == ["editor"]
        assert not works(app, project, editors_token)
        # Those in the user's own projects come back with these.
        assert app.get(own.path.rpartition("/jwt")[0] + "/imagetarget", headers=own.headers)
        app.post_json(project.tokens, {}, headers=editor.headers, status=201)

    def test_each_token_has_an_entry(self, app, stage, owner, editor, project, editors_token):
        second = stage.app(project, "read", by=editor)
        app.delete(path_of(project, editor), headers=owner.headers, status=204)
        entries = [
            (row["noun"], row["action"], row["row_id"], row["actor"], row["details"])
            for row in stage.rows(tables.audit, tables.audit.c.actor == f"user:{owner.id}")
        ]
        [(noun, action, _, _, details), *revoked] = entries
        assert (noun, action) == ("member", "delete")
        assert f'"user":{editor.id}' in details
        assert revoked == [
            ("token", "revoke", token.id, f"user:{owner.id}", "{}")
            for token in (editors_token, second)
        ]

    def test_without_a_trail(self, make_app, owner, editor, project, editors_token, stage):
        app = make_app(audit_days=0)
        app.delete(path_of(project, editor), headers=owner.headers, status=204)
        assert not works(app, project, editors_token)
        assert [row["revision"] for row in stage.rows(token_table)] == [2]
        # The rules are for rows with a trail.
        with stage.engine.begin() as connection:
            for made in (tables.audit, token_table, table, tables.project):
                connection.execute(made.delete())
            connection.execute(tables.user.delete())


class TestHandingOver:
    @pytest.mark.usefixtures("viewer")
    def test_to_a_member(self, app, stage, owner, editor, project, editors_token):
        with transaction_scope(stage.engine) as db:
            projects.hand_over(db, projects.find(db, project.id), editor.id)
        assert works(app, project, editors_token)
        listed = app.get(project.members, headers=editor.headers).json["items"]
        assert [item["login"] for item in listed] == ["victor"]
        assert ids(app.get(project.tokens, headers=editor.headers)) == [editors_token.id]
        assert [row["created_by"] for row in stage.rows(token_table)] == [None]
        app.get(project.path, headers=owner.headers, status=403)
        # It is the project's now, and outlives whoever made it.
        add(app, editor, project, "olga")

    def test_to_a_stranger(self, app, stage, editor, stranger, project, editors_token):
        with transaction_scope(stage.engine) as db:
            projects.hand_over(db, projects.find(db, project.id), stranger.id)
        assert works(app, project, editors_token)
        app.get(project.path, headers=editor.headers)

    def test_by_another_revision(self, stage, editor, project):
        with transaction_scope(stage.engine) as db:
            assert projects.hand_over(db, projects.find(db, project.id), editor.id, 7) is None
        assert len(stage.rows(table)) == 1


class TestPurge:
    """Without a trail: a purge removes what the rules are about."""

    @pytest.fixture
    def consistent(self):
        """Nothing to check."""

    def purge(self, stage):
        now = clock.now()
        with transaction_scope(stage.engine) as db:
            removals = [*purge.useless(now), *purge.old_deleted(db, now, marked=False)]
        for removal in removals:
            list(removal.remove(functools.partial(transaction_scope, stage.engine), 100))

    @pytest.mark.usefixtures("editors_token")
    def test_members_of_a_purged_project(self, stage, project):
        stage.delete(Project, project.id)
        self.purge(stage)
        assert stage.rows(table) == []
        assert stage.rows(token_table) == []
        assert [row["login"] for row in stage.rows(tables.user)] == ["olga", "edith"]

    @pytest.mark.parametrize("noun", [Project, User])
    @pytest.mark.usefixtures("editors_token")
    def test_hard_delete_of_all_above(self, stage, owner, project, viewer, noun):
        """As by the admin panel."""
        row_id = project.id if noun is Project else owner.id
        stage.delete(noun, row_id)
        with transaction_scope(stage.engine) as db:
            lost = hard_delete.losses(db, noun, row_id)
        assert lost["members"] == 2
        scope = functools.partial(transaction_scope, stage.engine)
        assert hard_delete.remove(scope, noun, row_id, clock.now())
        assert stage.rows(table) == stage.rows(token_table) == stage.rows(tables.project) == []
        assert viewer.id in [row["id"] for row in stage.rows(tables.user)]

    @pytest.mark.usefixtures("editors_token")
    def test_memberships_of_a_purged_user(self, stage, editor, viewer):
        stage.delete(User, editor.id)
        self.purge(stage)
        assert [row["user_id"] for row in stage.rows(table)] == [viewer.id]
        assert stage.rows(token_table) == []


class TestMeanwhile:
    """What models do where another request has changed what this one has read before."""

    def create(self, stage, project, user, access="write"):
        with transaction_scope(stage.engine) as db:
            return tokens.create(db, project.id, 60, access, "", created_by=user.id)

    def test_a_token_of_nobody(self, stage, project, other_project, editor, viewer, former, owner):
        assert self.create(stage, project, former) is None
        assert self.create(stage, project, owner) is None
        assert self.create(stage, other_project, editor) is None
        assert self.create(stage, project, viewer) is None
        assert self.create(stage, project, viewer, "read") is not None
        stage.delete(User, editor.id)
        assert self.create(stage, project, editor) is None
        stage.delete(Project, project.id)
        assert self.create(stage, project, viewer, "read") is None
        assert len(stage.rows(token_table)) == 1

    def test_a_member_of_nothing(self, stage, project, owner, stranger, former):
        def create(user, noun=None, row_id=None):
            """A member, after a row has been deleted."""
            with transaction_scope(stage.engine) as db:
                record = users.find(db, user.id)
                if noun is not None:
                    stage.delete(noun, row_id)
                return membership.create(db, project.id, record, "editor")

        assert create(owner) is None
        assert create(former).user_id == former.id
        assert create(stranger, User, stranger.id) is None
        assert create(former, Project, project.id) is None
        assert [row["user_id"] for row in stage.rows(table)] == [former.id]

    def test_a_membership_that_has_ended(self, stage, project, editor):
        with transaction_scope(stage.engine) as db:
            record = members.find(db, project.id, editor.id)
        stage.unshare(project, editor)
        with transaction_scope(stage.engine) as db:
            assert membership.change_role(db, record, "viewer") is None
            assert not membership.end(db, record)
