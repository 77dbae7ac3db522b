"""Paths: slashes at their end, and what is no id."""

import pytest

from ..pictures import base64_of, drawn

ILL_FORMED = [
    "0", "-0", "00", "01", "+1", "-1", "1.0", "1.", ".1", "1e0", "1_0", "0x1", "1,0", "abc", "1a",
    "null", "%201", "1%20", "1%09", "1%0a", "1%0d", "%0a1", "1%00", "%00", "%D9%A3", "%EF%BC%91",
    "%C2%B2", "1;a=b", "1'", '1"', "1%25", "*", ".", "..", "...", "%2e", "%2e%2e", "1%2f", "1%2f..",
    "%2e%2e%2f1", "1%5c", "9" * 20, "9" * 5000,
]  # fmt: skip
TOO_LARGE = ["9223372036854775808", "9" * 19]


def test_both_spellings_of_every_path(app, owner, project, write_token, target):
    image = {"image": base64_of(drawn())}
    login = {"login": "olga", "password": "correct horse battery"}
    calls = [
        ("POST", "/api/login", login, None, 200),
        ("GET", "/api/user", None, None, 200),
        ("GET", owner.path, None, None, 200),
        ("PATCH", owner.path, {}, None, 200),
        ("GET", "/api/project", None, owner, 200),
        ("GET", project.path, None, owner, 200),
        ("PUT", project.path, {"name": "Zoo"}, owner, 200),
        ("POST", project.tokens, {}, owner, 201),
        ("GET", project.tokens, None, owner, 200),
        ("PUT", write_token.path, {"ttl": 60}, owner, 200),
        ("POST", project.targets, image, write_token, 201),
        ("GET", project.targets, None, write_token, 200),
        ("GET", target.path, None, write_token, 200),
        ("HEAD", target.image, None, write_token, 200),
        ("OPTIONS", target.path, None, None, 204),
        ("GET", "/health/live", None, None, 200),
        ("GET", "/health/ready", None, None, 200),
        ("DELETE", "/api/project", None, owner, 405),
    ]
    for method, path, body, who, status in calls:
        plain = app.call(method, path, body, who=who, status=status)
        slash = app.call(method, path + "/", body, who=who, status=status)
        assert set(plain.headers) == set(slash.headers)


@pytest.mark.parametrize("slash", ["", "/"])
def test_locations_do_not_depend_on_the_slash(app, owner, slash):
    answer = app.post_json(
        f"/api/project{slash}", {"name": "Zoo"}, headers=owner.headers, status=201
    )
    assert answer.headers["Location"] == f"http://localhost/api/project/{answer.json['id']}"


def test_addresses_are_absolute_as_the_client_reached_us(app, owner, project, write_token):
    environ = {"HTTP_HOST": "ar.example.org", "wsgi.url_scheme": "https", "SERVER_PORT": "443"}
    made = app.post_json(
        "/api/project/", {"name": "x"}, headers=owner.headers, extra_environ=environ
    )
    assert made.headers["Location"] == f"https://ar.example.org/api/project/{made.json['id']}"
    body = {"image": base64_of(drawn())}
    made = app.post_json(
        project.targets + "/", body, headers=write_token.headers, extra_environ=environ
    )
    path = f"https://ar.example.org{project.targets}/{made.json['id']}"
    assert made.headers["Location"] == path
    assert made.json["image_url"] == f"{path}/image"


@pytest.mark.parametrize(
    "path",
    ["/api/user//", "/api//user", "//api/user", "/api/user/%2f", "/api/user/.", "/api/./user"],
)
def test_more_slashes_and_dots_are_other_paths(app, path):
    app.get(path, status=404)


@pytest.mark.parametrize("odd", ILL_FORMED + TOO_LARGE)
def test_ill_formed_ids(app, owner, project, write_token, odd):
    calls = [
        ("/api/user/{}", None),
        ("/api/project/{}", owner),
        ("/api/project/{}/jwt", owner),
        (project.tokens + "/{}", owner),
        ("/api/project/{}/imagetarget", write_token),
        (project.targets + "/{}", write_token),
        (project.targets + "/{}/image", write_token),
    ]
    for pattern, who in calls:
        for method in ("GET", "DELETE"):
            path = pattern.format(odd)
            app.call(method, path, who=who, status=404 if allows(method, pattern) else (404, 405))


def allows(method, pattern):
    """Whether the path would answer the method, were the id a good one."""
    return method == "GET" or pattern.endswith("{}")


@pytest.mark.parametrize("end", ["%0a", "%0a/", "/%0a", "%0d%0a", "%00", "%20", "%ff", "%c3%28"])
def test_what_is_behind_a_good_path_makes_it_another(app, owner, project, end):
    for path in ("/api/user", owner.path, "/api/project", project.path, "/health/live"):
        for method in ("GET", "OPTIONS"):
            app.call(method, path + end, who=owner, status=404)


@pytest.mark.parametrize(
    "path", ["/api/%ff", "/%ff", "/api/user/%ff", "/api/project/%80/jwt", "/api/project/1/%c0%ae"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_a_path_that_is_not_utf8(app, owner, path, method):
    app.call(method, path, status=404)
    app.call(method, path, who=owner, status=404)


def test_traversal_does_not_leave_the_route(app, owner, project, write_token, target):
    for path in (
        f"{project.path}/jwt/../imagetarget",
        f"{project.targets}/..",
        f"{project.targets}/{target.id}/..",
        f"{project.tokens}/%2e%2e",
        f"{project.path}/imagetarget/@@{target.id}",
    ):
        for who in (owner, write_token):
            app.call("GET", path, who=who, status=404)
