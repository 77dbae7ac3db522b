"""The typed client on a live server: every noun, and what errors carry."""

from datetime import UTC, datetime, timedelta

import pytest

from ar_targets_client import (
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
from ..pictures import CHINA, FLOWER


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
