"""``/api/openapi.json``: the description as it is served."""

import pytest

OPENAPI = "/api/openapi.json"


@pytest.mark.parametrize("slash", ["", "/"])
def test_anybody_may_read_it(app, owner, write_token, slash):
    answers = [
        app.get(OPENAPI + slash),
        app.get(OPENAPI + slash, headers=owner.headers),
        app.get(OPENAPI + slash, headers=write_token.headers),
        app.get(OPENAPI + slash, headers={"Authorization": "Bearer garbage"}),
    ]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert answers[0].json["info"]["title"] == "ar_targets"


def test_it_is_read_again_only_if_it_has_changed(app, make_app):
    tag = app.get(OPENAPI).headers["ETag"]
    unchanged = app.get(OPENAPI, headers={"If-None-Match": tag}, status=304)
    assert unchanged.headers["ETag"] == tag
    other = make_app(project_token_max_ttl=1_300_000)
    changed = other.get(OPENAPI, headers={"If-None-Match": tag}, status=200)
    assert changed.headers["ETag"] != tag


def test_the_server_is_named_without_its_host(app):
    assert [server["url"] for server in app.get(OPENAPI).json["servers"]] == ["/"]


def test_the_server_is_named_with_the_prefix_that_it_is_mounted_at(app):
    at_root = app.get(OPENAPI)
    mounted = app.get(OPENAPI, extra_environ={"SCRIPT_NAME": "/ar"})
    assert [server["url"] for server in mounted.json["servers"]] == ["/ar"]
    assert mounted.headers["ETag"] != at_root.headers["ETag"]
    assert app.get(OPENAPI).json["servers"] == at_root.json["servers"]


def test_many_prefixes_take_no_memory(app):
    for n in range(20):
        app.get(OPENAPI, extra_environ={"SCRIPT_NAME": f"/p{n}"})
    assert len(app.registry.description._texts) < 10
