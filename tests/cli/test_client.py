"""The typed client on a live server: every noun, and what errors carry."""

from datetime import UTC, datetime, timedelta

import pytest

from ar_targets_client import (
    UNSET,
    ApiError,
    ChangedError,
    Client,
    ClientError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
)

from ..actors import PASSWORD
from ..pictures import CHINA, FLOWER, drawn
from .test_manifest import HARD, METADATA


def test_the_whole_job(client):
    user = client.users.create("ann", PASSWORD)
    assert [u.login for u in client.users.list()] == ["ann"]
    login = client.login("ann", PASSWORD)
    assert login.expires_at - datetime.now(UTC) > timedelta(hours=11)
    assert login.token not in repr(login)
    with client.with_token(login.token) as ann:
        project = ann.projects.create("Zoo")
        assert ann.projects.get(project.id) == project
        renamed = ann.projects.update(project.id, name="Park", etag=project.etag)
        assert [p.name for p in ann.projects.list()] == ["Park"]
        assert renamed.etag != project.etag
        token = ann.tokens(project.id).create(ttl=60, access="write", description="app")
        assert (token.ttl, token.valid, token.revoked_at) == (60, True, None)
        assert token.token not in repr(token)
        extended = ann.tokens(project.id).extend(token.id, 600)
        assert extended.expires_at > token.expires_at
        targets = client.with_token(token.token).targets(project.id)
        target = targets.create(CHINA, "a gate")
        assert (target.width, target.height, target.size) == (640, 427, len(CHINA))
        assert targets.image(target.id) == CHINA
        assert targets.get(target.id).image == CHINA
        assert [t.etag for t in targets.list()] == [None]
        changed = targets.update(target.id, image=FLOWER, etag=targets.etag(target.id))
        assert (changed.description, changed.size) == ("a gate", len(FLOWER))
        targets.delete(target.id, etag=changed.etag)
        assert targets.restore(target.id).sha256 == changed.sha256
        targets.delete(target.id)
        assert list(targets.list()) == []
        ann.tokens(project.id).delete(token.id)
        assert [t.valid for t in ann.tokens(project.id).list()] == [False]
        ann.projects.delete(project.id)
        assert ann.projects.restore(project.id).name == "Park"
        ann.projects.delete(project.id)
        ann.users.update(user.id, login="anna")
        ann.users.delete(user.id)
    assert list(client.users.list()) == []


def test_records_are_what_the_server_sends(client, app, owner, project):
    sent = app.get(project.path, headers=owner.headers).json
    assert client.with_token(owner.token).projects.get(project.id).as_json() == sent


@pytest.fixture
def targets(client, write_token, project):
    return client.with_token(write_token.token).targets(project.id)


class TestTargetFields:
    FIELDS = ("name", "description", "physical_width", "active", "metadata")

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"name": "gate", "physical_width": 0.1 + 0.2, "active": False, "metadata": METADATA},
            {"name": HARD.strip(), "description": HARD, "metadata": "true", "physical_width": 1000},
            {"name": "null", "metadata": ""},
            {"name": "👩‍🚀" * 80, "description": "ä" * 30_000, "metadata": ["x" * 1_000_000]},
        ],
        ids=["none", "all", "hard", "like null", "long"],
    )
    def test_what_is_sent_comes_back(self, targets, fields):
        usual = dict.fromkeys(self.FIELDS) | {"description": "", "active": True}
        made = targets.create(CHINA, **fields)
        read = targets.get(made.id)
        [listed] = targets.list(metadata=True)
        for target in (made, read, listed):
            assert {name: getattr(target, name) for name in self.FIELDS} == usual | fields
        assert read.image == CHINA
        assert [t.metadata for t in targets.list()] == [UNSET]
        replaced = targets.replace(made.id, FLOWER, **fields, etag=made.etag)
        assert {name: getattr(replaced, name) for name in self.FIELDS} == usual | fields
        assert targets.get(made.id).image == FLOWER
        assert targets.replace(made.id, FLOWER).name is None

    def test_a_change_is_of_what_is_given(self, targets):
        all_of_them = {"name": "gate", "physical_width": 0.5, "active": False, "metadata": [1]}
        made = targets.create(CHINA, "a gate", **all_of_them)
        changed = targets.update(made.id, image=FLOWER)
        assert [getattr(changed, name) for name in all_of_them] == [*all_of_them.values()]
        changed = targets.update(made.id, name=None, physical_width=None, metadata=None)
        assert (changed.name, changed.physical_width, changed.metadata) == (None, None, None)
        assert (changed.active, changed.description) == (False, "a gate")
        assert targets.update(made.id, active=True, name="Gate").name == "Gate"

    def test_the_image_alone(self, targets):
        made = targets.create(CHINA, "a gate", name="gate", metadata={"a": 1})
        changed = targets.replace_image(made.id, FLOWER, sha256=made.sha256)
        assert (changed.name, changed.metadata, changed.size) == ("gate", {"a": 1}, len(FLOWER))
        # The answer's entity tag is the image's: it would not do for the target.
        assert changed.etag is None
        with pytest.raises(ChangedError):
            targets.replace_image(made.id, CHINA, sha256=made.sha256)
        assert targets.get(made.id).image == FLOWER

    def test_a_name_that_is_taken(self, targets):
        targets.create(CHINA, name="gate")
        with pytest.raises(ConflictError) as caught:
            targets.create(FLOWER, name="Gate")
        assert caught.value.fields.keys() == {"name"}

    @pytest.mark.parametrize(
        "field", [{"name": "\udcff"}, {"metadata": {1}}, {"metadata": float("nan")}], ids=str
    )
    def test_what_cannot_be_sent(self, targets, field):
        with pytest.raises(ClientError, match=f"^{next(iter(field))}: it must"):
            targets.create(CHINA, **field)
        assert list(targets.list()) == []

    def test_filters(self, targets):
        ids = [
            targets.create(drawn(size=(n, 8)), name=name, active=bool(n % 2)).id
            for n, name in enumerate(["gate b", "Gate A", "lion", None], 8)
        ]

        def found(**filters):
            return [ids.index(target.id) for target in targets.list(**filters)]

        assert found() == [0, 1, 2, 3]
        assert found(name="GATE A") == [1]
        assert found(name="gate") == []
        assert found(name_prefix="gate") == [1, 0]
        assert found(name_prefix="") == [1, 0, 2]
        assert found(active=True) == [1, 3]
        assert found(active=False, name_prefix="g") == [0]
        [one] = targets.list(name="lion")
        assert found(sha256=one.sha256) == [2]
        targets.delete(ids[2])
        assert found(deleted=True) == [2]
        [gone] = targets.list(deleted=True)
        assert gone.deleted_at >= gone.created_at
        assert found() == [0, 1, 3]

    def test_pages_by_name(self, targets, stage, project):
        """Their cursors hold the name, which may be long."""
        names = [f"{n:03}" + "𝔊" * 252 for n in range(201)]
        for name in reversed(names):
            stage.target(project, drawn(), name=name)
        assert [target.name for target in targets.list(name_prefix="")] == names


def test_deleted_projects(client, stage, owner):
    mine = client.with_token(owner.token).projects
    made = [stage.project(owner, name).id for name in ("Zoo", "Park")]
    mine.delete(made[0])
    assert [(p.id, p.deleted_at) for p in mine.list()] == [(made[1], None)]
    [gone] = mine.list(deleted=True)
    assert (gone.id, gone.name) == (made[0], "Zoo")
    assert gone.deleted_at >= gone.created_at
    mine.restore(gone.id)
    assert list(mine.list(deleted=True)) == []


def test_lists_of_several_pages(client, stage, owner):
    made = [stage.project(owner, f"p{n}").id for n in range(401)]
    assert [p.id for p in client.with_token(owner.token).projects.list()] == made


def test_an_error_names_every_field_and_the_request(client):
    with pytest.raises(ApiError) as caught:
        client.users.create("", "short")
    error = caught.value
    assert error.status == 400
    assert error.fields.keys() == {"login", "password"}
    assert {fault.location for fault in error.faults} == {"body"}
    assert error.request_id in str(error)
    assert "it must have 1 to 64 characters" in error.message


def test_errors_have_classes(client, owner, project, other_project, write_token):
    mine = client.with_token(owner.token)
    with pytest.raises(UnauthorizedError):
        list(client.projects.list())
    with pytest.raises(ForbiddenError):
        mine.projects.get(other_project.id)
    with pytest.raises(NotFoundError):
        mine.projects.get(10**9)
    with pytest.raises(ConflictError):
        mine.projects.create("ZOO")
    first = mine.projects.get(project.id)
    mine.projects.update(project.id, name="Park")
    with pytest.raises(ChangedError):
        mine.projects.update(project.id, name="Garden", etag=first.etag)
    with pytest.raises(ChangedError):
        mine.projects.delete(project.id, etag=first.etag)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://ar.example.org/", "https://ar.example.org"),
        ("https://ar.example.org/api/", "https://ar.example.org"),
        ("https://ar.example.org:8443/ar/api", "https://ar.example.org:8443/ar"),
        (" http://[::1]:6543 ", "http://[::1]:6543"),
    ],
)
def test_the_servers_url(given, url):
    assert Client(given).transport.server == url


@pytest.mark.parametrize("odd", ["", "host", "ftp://host", "http://host?x=1", "http://a@host"])
def test_no_servers_url(odd):
    with pytest.raises(ClientError):
        Client(odd)
