"""Entity tags: 304 for readers, 412 for writers who come too late."""

from dataclasses import dataclass

import pytest

from ..actors import Actor


@dataclass
class Single:
    """A single resource, who may write it, and two bodies to write."""

    path: str
    who: Actor
    first: dict
    second: dict


@pytest.fixture
def user(owner):
    return Single(owner.path, None, {"login": "oona"}, {"login": "odile"})


@pytest.fixture
def renamed(owner, project):
    return Single(project.path, owner, {"name": "Tierpark"}, {"name": "Menagerie"})


@pytest.fixture
def token(owner, write_token):
    return Single(write_token.path, owner, {"ttl": 11}, {"ttl": 12})


@pytest.fixture
def picture(write_token, target):
    return Single(target.path, write_token, {"description": "1"}, {"description": "2"})


@pytest.fixture(params=["user", "renamed", "token", "picture"])
def single(request):
    return request.getfixturevalue(request.param)


def get(app, single, status=200, **headers):
    return app.call("GET", single.path, who=single.who, status=status, **headers)


def patch(app, single, body, status=200, **headers):
    return app.call("PATCH", single.path, body, who=single.who, status=status, **headers)


def test_a_single_resource_has_a_strong_tag(app, single):
    tag = get(app, single).headers["ETag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    assert get(app, single).headers["ETag"] == tag
    assert (
        app.head(single.path, headers=single.who.headers if single.who else {}).headers["ETag"]
        == tag
    )


def test_a_list_has_none(app, owner, project):
    assert "ETag" not in app.get("/api/project", headers=owner.headers).headers


def test_caches_must_ask_each_time(app, single):
    control = get(app, single).headers["Cache-Control"]
    assert "no-cache" in control
    assert "private" in control
    assert "max-age" not in control


@pytest.mark.parametrize("pattern", ["{tag}", "*", '"a", {tag}, "b"', "W/{tag}"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_unchanged(app, single, pattern, method):
    tag = get(app, single).headers["ETag"]
    wanted = pattern.format(tag=tag)
    answer = app.call(method, single.path, who=single.who, status=304, if_none_match=wanted)
    assert answer.headers["ETag"] == tag


@pytest.mark.parametrize("tag", ['"other"', 'W/"other"', '"1-999"', '""', "", "garbage"])
def test_other_tags(app, single, tag):
    assert get(app, single, 200, if_none_match=tag).json == get(app, single).json


def test_changed(app, single):
    old = get(app, single)
    new = patch(app, single, single.first)
    assert new.headers["ETag"] != old.headers["ETag"]
    answer = get(app, single, 200, if_none_match=old.headers["ETag"])
    assert answer.headers["ETag"] == new.headers["ETag"]
    get(app, single, 304, if_none_match=new.headers["ETag"])


def test_a_token_that_expires_has_another_tag(app, stage, owner, write_token):
    valid = app.get(write_token.path, headers=owner.headers)
    stage.expire(write_token)
    headers = owner.headers | {"If-None-Match": valid.headers["ETag"]}
    assert app.get(write_token.path, headers=headers, status=200).json["valid"] is False


def test_no_update_is_lost(app, single):
    seen = get(app, single).headers["ETag"]
    first = patch(app, single, single.first, 200, if_match=seen)
    refused = patch(app, single, single.second, 412, if_match=seen)
    assert refused.json["errors"][0]["name"] == "If-Match"
    now = get(app, single)
    assert single.first.items() <= now.json.items()
    assert now.headers["ETag"] == first.headers["ETag"]
    patch(app, single, single.second, 200, if_match=now.headers["ETag"])
    assert single.second.items() <= get(app, single).json.items()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_who_comes_too_late_changes_nothing(app, single, method):
    seen = get(app, single).headers["ETag"]
    patch(app, single, single.first)
    before = get(app, single)
    body = None if method == "DELETE" else before.json | single.second
    if method == "PUT" and "login" in body:
        body["password"] = "correct horse battery"
    for tag in (seen, f"W/{before.headers['ETag']}", '"other"', f'{seen}, "other"'):
        app.call(method, single.path, body, who=single.who, status=412, if_match=tag)
    after = get(app, single)
    assert after.json == before.json
    assert after.headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize("pattern", ["{tag}", "*", '"other", {tag}'])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_who_comes_in_time(app, single, method, pattern):
    wanted = pattern.format(tag=get(app, single).headers["ETag"])
    body = None if method == "DELETE" else single.first
    app.call(method, single.path, body, who=single.who, if_match=wanted)


def test_a_patch_of_nothing_is_held_to_if_match_too(app, single):
    tag = get(app, single).headers["ETag"]
    patch(app, single, {}, 412, if_match='"other"')
    assert patch(app, single, {}, 200, if_match=tag).headers["ETag"] == tag


def test_what_does_not_exist_is_not_found_whatever_if_match_says(app, renamed):
    app.delete(renamed.path, headers=renamed.who.headers)
    for tag in ("*", '"other"'):
        patch(app, renamed, renamed.first, 404, if_match=tag)


def test_a_changed_password_changes_the_tag(app, owner):
    seen = app.get(owner.path).headers["ETag"]
    app.patch_json(owner.path, {"password": "another password"})
    app.patch_json(owner.path, {"login": "x"}, headers={"If-Match": seen}, status=412)


def test_deleting_a_revoked_token_again(app, owner, token):
    tag = get(app, token).headers["ETag"]
    app.call("DELETE", token.path, who=owner, status=204, if_match=tag)
    app.call("DELETE", token.path, who=owner, status=412, if_match=tag)
    app.call("DELETE", token.path, who=owner, status=204)
    app.call("DELETE", token.path, who=owner, status=204, if_match="*")
