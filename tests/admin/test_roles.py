"""Who sees and does what in the panel: a table of role × page × action.

The rows of one project are looked at by its owner, its members, somebody who was a member, a
stranger, an administrator, and nobody. Each row, name and picture of what is not shared must
be as if it were not there.
"""

import hashlib
from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.user import User

from ..actors import Stage
from ..invariants import broken, snapshot
from ..judged import judge
from ..panel import LOGIN, Panel
from ..pictures import CHINA
from ..tables import analysis, member
from ..tables import token as tokens

ROLES = ("nobody", "stranger", "former", "viewer", "editor", "owner", "admin")
LOGINS = {
    "stranger": "stefan",
    "former": "fritz",
    "viewer": "victor",
    "editor": "edith",
    "owner": "olga",
    "admin": "ada",
}

# 303 is the login page; 302 leads back to a list, with "Record does not exist".
PAGES = """
                                              nobody stranger former viewer editor owner admin
/admin/                                       303    200      200    200    200    200   200
/admin/account/                               303    200      200    200    200    200   200
/admin/project/                               303    200      200    200    200    200   200
/admin/project/new/                           303    200      200    200    200    200   200
/admin/project/details/?id={project}          303    302      302    200    200    200   200
/admin/project/edit/?id={project}             303    302      302    403    403    200   200
/admin/project/details/?id={gone_project}     303    302      302    302    302    302   302
/admin/project/edit/?id={gone_project}        303    302      302    302    302    302   302
/admin/project/export/csv/                    303    200      200    200    200    200   200
/admin/token/                                 303    200      200    200    200    200   200
/admin/token/new/                             303    200      200    200    200    200   200
/admin/token/details/?id={token}              303    302      302    302    302    200   200
/admin/token/edit/?id={token}                 303    302      302    302    302    200   200
/admin/token/details/?id={editors_token}      303    302      302    302    200    200   200
/admin/token/edit/?id={editors_token}         303    302      302    302    200    200   200
/admin/token/details/?id={viewers_token}      303    302      302    200    302    200   200
/admin/token/edit/?id={viewers_token}         303    302      302    200    302    200   200
/admin/token/details/?id={formers_token}      303    302      302    302    302    200   200
/admin/token/export/csv/                      303    200      200    200    200    200   200
/admin/target/                                303    200      200    200    200    200   200
/admin/target/?look=gallery                   303    200      200    200    200    200   200
/admin/target/new/                            303    200      200    200    200    200   200
/admin/target/details/?id={target}            303    302      302    200    200    200   200
/admin/target/edit/?id={target}               303    302      302    403    200    200   200
/admin/target/details/?id={gone_target}       303    302      302    302    302    302   302
/admin/target/{target}/image/{sha256}.jpg     303    404      404    200    200    200   200
/admin/target/{target}/thumbnail/{sha256}.jpg 303    404      404    200    200    200   200
/admin/target/{target}/heatmap/{sha256}.png   303    404      404    200    200    200   200
/admin/target/{gone_target}/heatmap/{sha256}.png   303 404    404    404    404    404   404
/admin/target/?flt2_rating_is=weak            303    200      200    200    200    200   200
/admin/check/                                 303    200      200    200    200    200   200
/admin/target/{gone_target}/image/{sha256}.jpg     303 404    404    404    404    404   404
/admin/target/{gone_target}/thumbnail/{sha256}.jpg 303 404    404    404    404    404   404
/admin/target/export/csv/                     303    200      200    200    200    200   200
/admin/member/                                303    200      200    200    200    200   200
/admin/member/new/                            303    200      200    200    200    200   200
/admin/member/edit/?id={editors_member}       303    302      302    302    403    200   200
/admin/member/edit/?id={viewers_member}       303    302      302    403    302    200   200
/admin/member/export/csv/                     303    200      200    200    200    200   200
/admin/user/                                  303    403      403    403    403    403   200
/admin/user/new/                              303    403      403    403    403    403   200
/admin/user/details/?id={stranger}            303    403      403    403    403    403   200
/admin/user/edit/?id={stranger}               303    403      403    403    403    403   200
/admin/user/export/csv/                       303    403      403    403    403    403   200
/admin/user/ajax/lookup/?name=login&query=s   303    403      403    403    403    403   200
/admin/project/ajax/lookup/?name=owner&query=s   303 200      200    200    200    200   200
/admin/token/ajax/lookup/?name=project&query=Z   303 200      200    200    200    200   200
/admin/member/ajax/lookup/?name=login&query=s    303 200      200    200    200    200   200
/admin/trash/                                 303    303      303    303    303    303   303
/admin/trash/target/                          303    200      200    200    200    200   200
/admin/trash/target/{gone_target}/thumbnail/{sha256}.jpg 303 404 404 404 200   200   200
/admin/trash/project/                         303    200      200    200    200    200   200
/admin/trash/user/                            303    403      403    403    403    403   200
/admin/audit/                                 303    200      200    200    200    200   200
/admin/audit/export/csv/                      303    200      200    200    200    200   200
/admin/nothing/like/that                      303    404      404    404    404    404   404
"""

# What must be on a page, for whom; for all others it must not be anywhere in the answer.
SEEN = """
                                              stranger former viewer editor owner admin
/admin/project/                    Zoo        no       no     yes    yes    yes   yes
/admin/project/export/csv/         Zoo        no       no     yes    yes    yes   yes
/admin/project/?flt0_name_begins_with=Zo Zoo</a>  no no       yes    yes    yes   yes
/admin/project/?flt1_owner_is=olga Zoo        no       no     yes    yes    yes   yes
/admin/project/?flt2_whose_is=mine Zoo        no       no     no     no     yes   no
/admin/project/?flt2_whose_is=shared Zoo      no       no     yes    yes    no    no
/admin/token/                      owners-key no       no     no     no     yes   yes
/admin/token/                      ediths-key no       no     no     yes    yes   yes
/admin/token/                      victors-key no      no     yes    no     yes   yes
/admin/token/                      fritzs-key no       no     no     no     yes   yes
/admin/token/export/csv/           owners-key no       no     no     no     yes   yes
/admin/token/export/csv/           ediths-key no       no     no     yes    yes   yes
/admin/token/?flt0_project_is=Zoo  owners-key no       no     no     no     yes   yes
/admin/token/?flt1_state_is=valid  owners-key no       no     no     no     yes   yes
/admin/token/?flt2_access_is=write ediths-key no       no     no     yes    yes   yes
/admin/target/                     a-poster   no       no     yes    yes    yes   yes
/admin/target/?look=gallery        a-poster   no       no     yes    yes    yes   yes
/admin/target/?flt0_project_is=Zoo a-poster   no       no     yes    yes    yes   yes
/admin/target/?flt1_name_begins_with=a-p a-poster</a> no no   yes    yes    yes   yes
/admin/target/?flt2_rating_is=weak a-poster   no       no     yes    yes    yes   yes
/admin/target/details/?id={target} examine/   no       no     no     yes    yes   yes
/admin/target/export/csv/          a-poster   no       no     yes    yes    yes   yes
/admin/target/?flt0_project_is=Zoo data-upload no      no     no     yes    yes   yes
/admin/project/details/?id={project} a-poster no       no     yes    yes    yes   yes
/admin/project/details/?id={project} owners-key no     no     no     no     yes   yes
/admin/project/details/?id={project} ediths-key no     no     no     yes    yes   yes
/admin/member/                     victor     no       no     yes    no     yes   yes
/admin/member/export/csv/          edith      no       no     no     yes    yes   yes
/admin/trash/target/               gone-poster no      no     no     yes    yes   yes
/admin/trash/target/               data-tab-1 no       no     no     no     no    no
/admin/trash/project/              Gone-zoo   no       no     no     no     yes   yes
/admin/audit/                      Zoo        no       no     no     no     no    yes
/admin/token/ajax/lookup/?name=project&query=Zo Zoo no no     yes    yes    yes   yes
/admin/member/ajax/lookup/?name=login&query=ad ada no  no     no     no     no    yes
"""

# POST → whether it changes anything. The fields are in `FIELDS`.
ACTIONS = """
                                   nobody stranger former viewer editor owner admin
project/new/                       no     yes      yes    yes    yes    yes   yes
project/edit/?id={project}         no     no       no     no     no     yes   yes
project/action/ delete {project}   no     no       no     no     no     yes   yes
project/delete/ id {project}       no     no       no     no     no     yes   yes
token/new/                         no     no       no     no     yes    yes   yes
token/new/ read                    no     no       no     yes    yes    yes   yes
token/edit/?id={token}             no     no       no     no     no     yes   yes
token/edit/?id={editors_token}     no     no       no     no     yes    yes   yes
token/edit/?id={viewers_token}     no     no       no     yes    no     yes   yes
token/action/ revoke {token}       no     no       no     no     no     yes   yes
token/action/ revoke {editors_token} no   no       no     no     yes    yes   yes
token/action/ revoke {viewers_token} no   no       no     yes    no     yes   yes
token/action/ delete {token}       no     no       no     no     no     no    no
token/delete/ id {token}           no     no       no     no     no     no    no
target/new/                        no     no       no     no     yes    yes   yes
target/upload/{project}/           no     no       no     no     yes    yes   yes
target/edit/?id={target}           no     no       no     no     yes    yes   yes
target/action/ delete {target}     no     no       no     no     yes    yes   yes
target/delete/ id {target}         no     no       no     no     yes    yes   yes
target/move/ into {target}         no     no       no     no     no     no    yes
target/{target}/examine/           no     no       no     no     yes    yes   yes
check/                             no     no       no     no     no     no    no
check/{project}/                   no     no       no     no     no     no    no
target/move/ out {target}          no     no       no     no     no     no    yes
member/new/                        no     no       no     no     no     yes   yes
member/edit/?id={viewers_member}   no     no       no     no     no     yes   yes
member/edit/?id={editors_member}   no     no       no     no     no     yes   yes
member/action/ remove {viewers_member} no no       no     yes    no     yes   yes
member/action/ remove {editors_member} no no       no     no     yes    yes   yes
user/new/                          no     no       no     no     no     no    yes
user/edit/?id={stranger}           no     no       no     no     no     no    yes
user/action/ delete {stranger}     no     no       no     no     no     no    yes
trash/target/action/ restore {gone_target} no no   no     no     yes    yes   yes
trash/target/remove/ rowid {gone_target}   no no   no     no     no     yes   yes
trash/project/action/ restore {gone_project} no no no     no     no     yes   yes
trash/project/remove/ rowid {gone_project}   no no no     no     no     yes   yes
trash/user/action/ restore {gone_user}       no no no     no     no     no    yes
trash/user/remove/ rowid {gone_user}         no no no     no     no     no    yes
"""
FIELDS = {
    "project/new/": {"name": "New", "owner": "olga"},
    "project/edit/?id={project}": {"name": "Renamed", "owner": "olga"},
    "token/new/": {"project": "Zoo", "ttl": "3", "access": "write"},
    "token/new/ read": {"project": "Zoo", "ttl": "3", "access": "read"},
    "token/edit/?id={token}": {"ttl": "3"},
    "token/edit/?id={editors_token}": {"ttl": "3"},
    "token/edit/?id={viewers_token}": {"ttl": "3"},
    "target/new/": {"project": "Zoo", "name": "new"},
    "target/edit/?id={target}": {"name": "renamed", "active": "true"},
    "check/": {"project": "Zoo"},
    "target/move/ into {target}": {"project": "Museum"},
    "target/move/ out {target}": {"project": "Museum"},
    "member/new/": {"project": "Zoo", "login": "stefan", "role": "viewer"},
    "member/edit/?id={viewers_member}": {"role": "editor"},
    "member/edit/?id={editors_member}": {"role": "viewer"},
    "user/new/": {"login": "nina", "password": "a long enough one"},
    "user/edit/?id={stranger}": {"login": "steven"},
}
FILES = {"target/new/", "target/upload/{project}/", "check/{project}/"}


def table(text: str, columns: int) -> list[tuple[str, dict[str, str]]]:
    """The rows of a table: what stands before its last columns, and these by their headings."""
    head, *rows = [line.split() for line in text.strip("\n").splitlines()]
    return [
        (" ".join(row[:-columns]), dict(zip(head, row[-columns:], strict=True))) for row in rows
    ]


@dataclass(frozen=True)
class Scene:
    """A project with all that may be in it."""

    ids: dict[str, object]


@pytest.fixture
def scene(stage: Stage, administrator, owner, stranger, project, other_project):
    editor = stage.member(project, "edith", "editor")
    viewer = stage.member(project, "victor", "viewer")
    former = stage.member(project, "fritz", "editor")
    made = {
        "token": stage.app(project),
        "editors_token": stage.app(project, by=editor),
        "viewers_token": stage.app(project, "read", by=viewer),
        "formers_token": stage.app(project, by=former),
        "target": stage.target(project, name="a-poster"),
        "gone_target": stage.target(project, name="gone-poster"),
        "gone_project": stage.project(owner, "Gone-zoo"),
        "gone_user": stage.user("gustav"),
    }
    keys = {"token": "owners", "editors_token": "ediths", "viewers_token": "victors"}
    with stage.engine.begin() as connection:
        for name, key in (keys | {"formers_token": "fritzs"}).items():
            described = update(tokens).where(tokens.c.id == made[name].id)
            connection.execute(described.values(description=f"{key}-key"))
        members = dict(connection.execute(select(member.c.user_id, member.c.id)).all())
    judge(stage, made["target"], 1)
    judge(stage, made["gone_target"], 1)
    stage.unshare(project, former)
    stage.delete(Target, made["gone_target"].id)
    stage.delete(Project, made["gone_project"].id)
    stage.delete(User, made["gone_user"].id)
    ids = {name: row.id for name, row in made.items()}
    ids |= {
        "project": project.id,
        "stranger": stranger.id,
        "editors_member": members[editor.id],
        "viewers_member": members[viewer.id],
        "sha256": hashlib.sha256(CHINA).hexdigest(),
    }
    return Scene(ids)


@pytest.fixture(params=ROLES)
def role(request):
    return request.param


@pytest.fixture
def caller(app, scene, role):
    panel = Panel(app.app)
    if role != "nobody":
        panel.log_in(LOGINS[role])
    return panel


def test_pages(caller, role, scene):
    wrong = []
    for page, statuses in table(PAGES, len(ROLES)):
        response = caller.get(page.format(**scene.ids), expect_errors=True)
        if str(response.status_int) != statuses[role]:
            wrong.append((page, role, response.status_int, response.location))
        if response.status_int == 303 and role == "nobody":
            assert response.location.startswith(f"http://localhost{LOGIN}")
    assert wrong == []


def test_what_is_seen(caller, role, scene):
    if role == "nobody":
        return
    wrong = []
    for row, answers in table(SEEN, len(ROLES) - 1):
        page, text = row.split(" ", 1)
        response = caller.get(page.format(**scene.ids), expect_errors=True)
        if (text in response.text) != (answers[role] == "yes"):
            wrong.append((page, text, role))
    assert wrong == []


def send(caller, role, row, scene):
    """POST as a browser would; nobody has the token of a page that is open."""
    path, _, rest = row.partition(" ")
    words = rest.format(**scene.ids).split()
    fields = dict(FIELDS.get(row, {}))
    if len(words) == 2:
        name, value = words
        if path.endswith("action/"):
            fields |= {"action": name, "rowid": value}
        elif name in ("id", "rowid"):
            fields[name] = value
        else:
            fields["rowid"] = value
    files = [("image", "new.jpg", CHINA)] if row in FILES else None
    return caller.send("/admin/" + path.format(**scene.ids), files=files, status="*", **fields)


@pytest.mark.parametrize(("row", "answers"), table(ACTIONS, len(ROLES)))
def test_actions(app, stage, caller, role, scene, row, answers):
    caller.csrf()
    before = snapshot(app.registry.engine), stage.rows(analysis)
    response = send(caller, role, row, scene)
    after = snapshot(app.registry.engine), stage.rows(analysis)
    assert response.status_int < 500
    assert (before != after) == (answers[role] == "yes"), (response, response.text[:2000])
    # Entries remain of what is removed for good.
    assert "/remove/" in row or broken(app.registry.engine) == []
