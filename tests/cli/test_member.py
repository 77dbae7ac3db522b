"""Members of a project: by the typed client, and by commands."""

import pytest

from ar_targets_client import (
    ChangedError,
    ClientError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from ar_targets_client.claims import project_of, user_of

from ..actors import PASSWORD


def log_in(run, login):
    assert run("login", login, "--password-stdin", stdin=PASSWORD).code == 0


def test_the_whole_way(client, owner, stranger, project):
    olga, stefan = client.with_token(owner.token), client.with_token(stranger.token)
    members = olga.members(project.id)
    assert list(members.list()) == []
    made = members.add("Stefan", "editor")
    assert (made.id, made.user_id, made.login, made.role) == (
        stranger.id,
        stranger.id,
        "stefan",
        "editor",
    )
    read = members.get(stranger.id)
    assert read == made
    assert [member.as_json() for member in members.list()] == [made.as_json()]
    assert list(stefan.projects.list()) == []
    [shared] = stefan.projects.list(member=True)
    assert (shared.id, shared.role, shared.deleted_at) == (project.id, "editor", None)
    assert stefan.projects.get(project.id).role is None
    token = stefan.tokens(project.id).create()
    assert [each.id for each in stefan.tokens(project.id).list()] == [token.id]
    lower = members.change_role(stranger.id, "viewer", etag=read.etag)
    assert lower.role == "viewer"
    assert not olga.tokens(project.id).get(token.id).valid
    with pytest.raises(ForbiddenError) as refused:
        stefan.tokens(project.id).create()
    assert refused.value.fields.keys() == {"access"}
    with pytest.raises(ChangedError):
        members.remove(stranger.id, etag=read.etag)
    members.remove(stranger.id, etag=lower.etag)
    assert list(stefan.projects.list(member=True)) == []
    members.add("stefan", "viewer")
    stefan.members(project.id).leave()
    assert list(members.list()) == []


def test_errors(client, owner, viewer, project, write_token):
    olga = client.with_token(owner.token)
    members = olga.members(project.id)
    for login, error in [
        ("nobody", NotFoundError),
        ("victor", ConflictError),
        ("olga", ConflictError),
    ]:
        with pytest.raises(error) as refused:
            members.add(login, "viewer")
        assert refused.value.fields.keys() == {"login"}
    with pytest.raises(ForbiddenError):
        list(client.with_token(viewer.token).members(project.id).list())
    with pytest.raises(NotFoundError):
        members.leave()
    for other in (client, client.with_token(write_token.token)):
        with pytest.raises(ClientError, match="only users leave"):
            other.members(project.id).leave()


def test_what_a_token_says(owner, project, write_token):
    assert (user_of(owner.token), project_of(owner.token)) == (owner.id, None)
    assert (user_of(write_token.token), project_of(write_token.token)) == (None, project.id)
    assert user_of("nonsense") is None


def test_several_pages(client, stage, owner, project):
    made = [stage.member(project, f"m{n}", "viewer").id for n in range(205)]
    listed = client.with_token(owner.token).members(project.id).list()
    assert [member.id for member in listed] == made


class TestCommands:
    def test_of_the_owner(self, as_user, stranger, project):
        assert as_user("member", "list", "Zoo").err == "There are none.\n"
        made = as_user("member", "add", "Zoo", "STEFAN", "--json")
        assert (made.code, made.json["login"], made.json["role"]) == (0, "stefan", "viewer")
        assert as_user("member", "list", project.id, "--json").json == [made.json]
        table = as_user("member", "list", "Zoo").out
        assert "stefan" in table
        assert "viewer" in table
        changed = as_user("member", "role", "Zoo", "Stefan", "editor", "--json").json
        assert (changed["user_id"], changed["role"]) == (stranger.id, "editor")
        done = as_user("member", "rm", "Zoo", "stefan")
        assert (done.code, "--yes" in done.err) == (2, True)
        done = as_user("member", "rm", "Zoo", "stefan", "--yes")
        assert (done.code, done.err) == (0, "stefan is no longer a member.\n")
        assert as_user("member", "list", "--json").json == []

    @pytest.mark.usefixtures("stranger")
    def test_of_the_only_project(self, as_user, project):
        told = f"Project Zoo ({project.id}), your only one.\n"
        done = as_user("member", "add", "stefan", "--role", "editor", "--json")
        assert (done.code, done.err, done.json["role"]) == (0, told, "editor")
        done = as_user("member", "role", "stefan", "viewer", "--json")
        assert (done.code, done.err, done.json["role"]) == (0, told, "viewer")
        assert as_user("member", "rm", "stefan", "--yes").code == 2

    def test_refusals(self, as_user, viewer, project):
        for words, said, code in [
            (("add", "Zoo", "nobody"), "login: there is no user with this login", 1),
            (("add", "Zoo", "victor"), "login: this user is a member already", 1),
            (("rm", "Zoo", "nobody", "--yes"), "there is no member 'nobody'", 1),
            (("role", "Zoo", "nobody", "editor"), "there is no member 'nobody'", 1),
        ]:
            done = as_user("member", *words)
            assert done.is_refusal(said, code), done
        assert as_user("member", "role", "Zoo", "victor", "owner").code == 2
        assert as_user("project", "list", "--member", "--deleted").code == 2
        for named in ("Zoo", project.id):
            assert as_user("member", "list", named, AR_TARGETS_TOKEN=viewer.token).code == 4

    @pytest.mark.usefixtures("viewer")
    def test_of_a_member(self, run, stage, owner, project):
        log_in(run, "victor")
        assert run("project", "list", "--json").json == []
        [shared] = run("project", "list", "--member", "--json").json
        assert (shared["id"], shared["role"]) == (project.id, "viewer")
        assert "viewer" in run("project", "list", "--member").out
        told = f"Project Zoo ({project.id}), the only one that is shared with you.\n"
        made = run("token", "add", "--json")
        assert (made.code, made.err, made.json["access"]) == (0, told, "read")
        assert [each["id"] for each in run("token", "list", "zoo", "--json").json] == [
            made.json["id"]
        ]
        assert run("token", "add", "Zoo", "--access", "write").is_refusal("access: the role", 4)
        assert run("token", "keep", "Zoo", made.json["id"]).code == 0
        assert run("target", "list", "--project", "Zoo", "--json").json == []
        assert run("member", "leave", "Zoo").code == 2
        done = run("member", "leave", "Zoo", "--yes")
        assert (done.code, done.err) == (0, "You have left project Zoo.\n")
        assert run("status", "--json").json["projects"] == []
        assert run("member", "leave", "Zoo", "--yes").is_refusal("you have no project 'Zoo'")
        stage.project(owner, "Park")
        assert run("project", "get").is_refusal("you have no project")
