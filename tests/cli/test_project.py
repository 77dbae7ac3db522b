"""Which project a command is for: by its id, by its name, or the only one."""

import base64
import itertools
import json
import re

import pytest

from ar_targets.models import Target
from ar_targets_client.claims import project_of

from ..actors import PASSWORD
from ..pictures import CHINA


@pytest.fixture
def as_olga(run, owner):
    """Runs commands as the owner, who has logged in."""
    assert run("login", "olga", "--password-stdin", stdin=PASSWORD).code == 0
    return run


class TestUsersCommands:
    """What a user's token is for."""

    def test_the_only_one(self, as_olga, project):
        told = f"Project Zoo ({project.id}), your only one.\n"
        made = as_olga("token", "add", "--json")
        assert (made.code, made.err) == (0, told)
        assert made.json["project_id"] == project.id
        number = made.json["id"]
        for command in (
            ("token", "list"),
            ("token", "get", number),
            ("token", "extend", number, "30d"),
            ("project", "get"),
            ("project", "rename", "Park"),
        ):
            done = as_olga(*command, "--json")
            assert (done.code, done.err) == (0, told), command
        done = as_olga("token", "keep", number)
        assert f"Project Park ({project.id}), your only one.\n" in done.err
        done = as_olga("token", "rm", number)
        assert f"Revoked token {number}." in done.err

    def test_none(self, as_olga):
        done = as_olga("token", "list")
        assert done.is_refusal("you have no project: ar-targets project add NAME")

    def test_several(self, as_olga, stage, owner, project):
        other = stage.project(owner, "Park")
        done = as_olga("token", "add")
        assert done.is_refusal(f"name the project: Zoo ({project.id}), Park ({other.id})"), done
        for name in ("Zoo", "ZOO", project.id):
            assert as_olga("token", "add", name, "--json").json["project_id"] == project.id

    def test_very_many(self, as_olga, stage, owner):
        for n in range(30):
            stage.project(owner, f"p{n}")
        done = as_olga("project", "get")
        assert done.code == 1
        assert done.err.endswith("), …\n")
        assert len(done.err) < 500

    @pytest.mark.usefixtures("project")
    def test_a_deletion_does_not_guess(self, as_olga):
        done = as_olga("project", "rm", "--yes")
        assert done.code == 2
        assert len(as_olga("project", "list", "--json").json) == 1

    @pytest.mark.usefixtures("project")
    def test_words_that_are_too_many(self, as_olga):
        for command in (("project", "get", "Zoo", "x"), ("token", "rm", "Zoo", "x")):
            assert as_olga(*command).code == 2

    @pytest.mark.usefixtures("project")
    def test_a_name_as_the_server_compares_them(self, as_olga, stage, owner):
        made = stage.project(owner, "Übersicht")
        done = as_olga("project", "get", "u\u0308BERSICHT", "--json")
        assert done.json["id"] == made.id


def test_a_deleted_one_by_its_name(as_olga, stage, owner, project):
    assert as_olga("project", "restore", "Zoo").is_refusal("you have deleted no project 'Zoo'")
    as_olga("project", "rm", "Zoo", "--yes")
    assert as_olga("project", "restore", "ZOO", "--json").json["id"] == project.id
    as_olga("project", "rm", "Zoo", "--yes")
    second = stage.project(owner, "zoo").id
    as_olga("project", "rm", second, "--yes")
    assert as_olga("project", "restore", "Zoo").is_refusal(f": {project.id}, {second}")
    assert as_olga("project", "restore", second, "--json").json["name"] == "zoo"


def test_usage(as_user, as_app, app, stage, project, other_project, owner, target):
    stage.delete(Target, stage.target(project).id)
    told = app.get(f"{project.path}/usage", headers=owner.headers).json
    assert (told["targets"], told["bytes"]) == (2, 2 * len(CHINA))
    assert as_user("project", "usage", "--json").json == told
    # A project's token may ask, too.
    assert as_app("project", "usage", project.id, "--json").json == told
    shown = as_user("project", "usage", "Zoo").out
    assert re.search(r"^targets +2 of 100,000 *$", shown, re.MULTILINE)
    assert re.search(r"^bytes +393,306 of 107,374,182,400 *$", shown, re.MULTILINE)
    assert as_user("project", "usage", other_project.id).is_refusal("403", 4)


class TestTargetCommands:
    """What a project's token is for."""

    def test_the_only_token_that_is_kept(self, as_olga, stage, owner, project):
        """Of several projects."""
        stage.project(owner, "Park")
        as_olga("token", "add", "Zoo", "--keep")
        done = as_olga("target", "list", "--json")
        told = f"Project Zoo ({project.id}), the only one with a token here.\n"
        assert (done.code, done.err, done.json) == (0, told, [])

    def test_several_tokens(self, as_olga, stage, owner, project):
        other = stage.project(owner, "Park")
        for name in ("Zoo", "Park"):
            as_olga("token", "add", name, "--keep")
        done = as_olga("target", "list")
        said = f"name the project with --project: Zoo ({project.id}), Park ({other.id})"
        assert done.is_refusal(said), done

    def test_no_token(self, as_olga, project):
        done = as_olga("target", "list")
        assert done.code == 1
        assert f"'ar-targets token add --keep {project.id}'" in done.err

    def test_a_token_knows_its_project(self, run, project, write_token):
        done = run("target", "list", "--json", AR_TARGETS_TOKEN=write_token.token)
        told = f"Project {project.id}, whose token this is.\n"
        assert (done.code, done.err, done.json) == (0, told, [])

    def test_a_users_token_has_none(self, run, owner):
        done = run("target", "list", AR_TARGETS_TOKEN=owner.token)
        assert done.code == 2
        assert "The token is no project's" in done.err

    def test_a_name_beside_a_token(self, run, project, other_project, write_token):
        """The token cannot ask for it. Who is logged in can, or it is kept here."""
        given = {"AR_TARGETS_TOKEN": write_token.token, "AR_TARGETS_PROJECT": "zoo"}
        done = run("target", "list", **given)
        assert done.code == 2
        assert f"name the id, or leave it out: it is {project.id}" in done.err
        run("login", "olga", "--password-stdin", stdin=PASSWORD)
        assert run("target", "list", "--json", **given).json == []
        run("token", "add", "zoo", "--keep")
        run("logout", AR_TARGETS_SERVER="http://elsewhere.example")
        assert run("target", "list", "--json", **given).json == []
        # What is named is asked for, whatever the token is of.
        assert run("target", "list", "-p", other_project.id, **given).code == 4


def jwt(claims):
    text = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"e30.{base64.urlsafe_b64encode(text).decode().rstrip('=')}.x"


def test_the_project_of_a_token():
    assert project_of(jwt({"kind": "project", "sub": "7"})) == 7


@pytest.mark.parametrize(
    "token",
    [
        *("", "x", "a.b.c", "a.\xff.c", "a.b", jwt(b"["), jwt(b"\xff"), jwt(b"[" * 100_000)),
        *(jwt([]), jwt({}), jwt("x"), jwt({"kind": "user", "sub": "7"})),
        *(jwt({"kind": "project", "sub": sub}) for sub in ("../x", "0", "-1", "", None, [7])),
        jwt({"kind": "project", "sub": "9" * 5000}),
    ],
    ids=itertools.count(),
)
def test_no_project_of_a_token(token):
    assert project_of(token) is None
