"""Errors: their order where several apply, media types, broken bodies, and bugs of ours.

Their shape is held by `tests.client`, for each response of each test.
"""

import json
import logging

import pytest

from ar_targets.models import user as users

from ..client import JSON, Client, faults
from ..pictures import base64_of, drawn

MIB = 2**20
GARBAGE = {"Authorization": "Bearer garbage"}
STALE = {"If-Match": '"stale"'}
MISSING = 999_999


def send(app, method, path, body=b"", content_type=None, who=None, status=None, **headers):
    """A body of bytes, as it is."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= who.headers if who else {}
    if content_type is not None:
        sent["Content-Type"] = content_type
    return app.request(path, method=method, body=body, headers=sent, status=status)


class TestOrder:
    """Of several errors the first of the contract's list is answered."""

    @pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
    @pytest.mark.parametrize("path", ["/api/zoo", "/api/project/0", "/api/project/1/zoo"])
    def test_unknown_path_first(self, app, method, path):
        send(app, method, path, b"{", "text/plain", status=404, Authorization="Bearer x")

    def test_method_before_credentials(self, app, project):
        for path in ("/api/project", f"/api/project/{MISSING}/jwt", project.targets):
            for headers in ({}, GARBAGE):
                app.delete(path, headers=headers, status=405)
        app.get("/api/login", headers=GARBAGE, status=405)

    @pytest.mark.parametrize("headers", [{}, GARBAGE])
    def test_credentials_before_objects(self, app, project, write_token, target, headers):
        existing = (project.path, project.tokens, write_token.path, target.path, target.image)
        answers = [app.get(path, headers=headers, status=401) for path in existing]
        for path in existing:
            missing = path.replace(f"/{project.id}", f"/{MISSING}", 1)
            answers.append(app.get(missing, headers=headers, status=401))
        assert all(answer.json == answers[0].json for answer in answers)

    @pytest.mark.parametrize("path", ["/api/user", "/api/user/999999"])
    def test_sent_credentials_must_be_valid_on_open_endpoints_too(self, app, path):
        app.get(path, headers=GARBAGE, status=401)
        app.post_json("/api/user", {}, headers=GARBAGE, status=401)
        app.post_json("/api/login", {}, headers=GARBAGE, status=401)

    def test_objects_before_rights(self, app, project, other_token, write_token, stranger):
        app.get(f"/api/project/{MISSING}", headers=write_token.headers, status=404)
        app.get(f"/api/user/{MISSING}", headers=write_token.headers, status=404)
        app.get(f"{project.tokens}/{MISSING}", headers=stranger.headers, status=404)
        app.get(f"{project.targets}/{MISSING}", headers=stranger.headers, status=404)
        app.get(f"{project.targets}/{MISSING}", headers=other_token.headers, status=404)

    def test_rights_before_bodies(self, app, project, stranger, read_token, write_token):
        large = b" " * (MIB + 1)
        for body in (large, b"{", b""):
            send(app, "PUT", project.path, body, "text/plain", stranger, 403)
            send(app, "POST", project.tokens, body, "text/plain", stranger, 403)
            send(app, "POST", project.targets, body, "text/plain", read_token, 403)
            send(app, "POST", "/api/user", body, "text/plain", write_token, 403)
            send(app, "POST", "/api/project", body, "text/plain", write_token, 403)

    def test_size_before_media_type(self, app, owner):
        send(app, "POST", "/api/project", b"x" * (MIB + 1), "text/plain", owner, 413)

    def test_media_type_before_content(self, app, owner):
        send(app, "POST", "/api/project", b"{", "text/plain", owner, 415)

    def test_content_before_preconditions(self, app, owner, project, write_token):
        app.put_json(project.path, {}, headers=owner.headers | STALE, status=400)
        app.patch_json(write_token.path, {"ttl": 0}, headers=owner.headers | STALE, status=400)

    def test_preconditions_before_conflicts(self, app, stage, owner, project, write_token):
        stage.project(owner, "Aquarium")
        stage.revoke(write_token)
        taken, headers = {"name": "aquarium"}, owner.headers | STALE
        app.put_json(project.path, taken, headers=headers, status=412)
        app.put_json(write_token.path, {"ttl": 60}, headers=headers, status=412)
        app.patch_json(owner.path, {"login": "OLGA"}, headers=STALE, status=412)


@pytest.fixture
def writable(owner, project, write_token, target):
    """Every call that takes a body: method, path, who, and a good body."""
    image, ttl, name = {"image": base64_of(drawn())}, {"ttl": 60}, {"name": "Aquarium"}
    login = {"login": "olga", "password": "correct horse battery"}
    return [
        ("POST", "/api/login", None, login),
        ("POST", "/api/user", None, login | {"login": "nora"}),
        ("POST", "/api/project", owner, name),
        ("PUT", project.path, owner, name | {"name": "Zoo 2"}),
        ("PATCH", project.path, owner, name | {"name": "Zoo 3"}),
        ("POST", project.tokens, owner, ttl),
        ("PUT", write_token.path, owner, ttl),
        ("PATCH", write_token.path, owner, ttl),
        ("POST", project.targets, write_token, image),
        ("PUT", target.path, write_token, image),
        ("PATCH", target.path, write_token, image),
        ("PUT", owner.path, None, login),
        ("PATCH", owner.path, None, {"password": login["password"]}),
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "application/jsonp",
        "application/merge-patch+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=klingon",
        "json",
        "*/*",
    ],
)
def test_other_media_types(app, writable, content_type):
    for method, path, who, body in writable:
        answer = send(app, method, path, json.dumps(body).encode(), content_type, who, 415)
        assert faults(answer) == {"Content-Type": "header"}


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; version=1",
    ],
)
def test_good_media_types(app, writable, content_type):
    for method, path, who, body in writable:
        send(app, method, path, json.dumps(body).encode(), content_type, who)


@pytest.mark.parametrize("content_type", [JSON, None])
def test_an_empty_body_where_one_is_needed(app, writable, content_type):
    for method, path, who, _ in writable:
        if not path.endswith("/jwt"):
            answer = send(app, method, path, b"", content_type, who, 400)
            assert faults(answer) == {"": "body"}


BROKEN = {
    "open object": b"{",
    "open string": b'{"name": "x',
    "more behind": b'{"name": "x"} {}',
    "trailing comma": b'{"name": "x",}',
    "single quotes": b"{'name': 'x'}",
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"ttl": Infinity}',
    "comment": b'{"name": "x"} // y',
    "not UTF-8": b'{"name": "\xff"}',
    "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "control character": b'{"name": "\x01"}',
    "NUL bytes": b"\0\0\0\0",
    "bad escape": b'{"name": "\\x41"}',
    "half a surrogate's escape": b'{"name": "\\ud8"}',
    "NaN beside a surrogate": b'{"name": "\\ud800", "x": NaN}',
    "form": b"name=x",
    "white space": b"  ",
    "deep": b"[" * 100_000,
    "deep and closed": b'{"name":' * 50_000 + b"1" + b"}" * 50_000,
    "deep beside a surrogate": b'{"x": "\\ud800", "name":' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_broken_json(app, writable, body):
    for method, path, who, _ in writable:
        answer = send(app, method, path, body, JSON, who, 400)
        assert faults(answer) == {"": "body"}


@pytest.mark.parametrize(
    "body", [b"[]", b'[{"name": "x"}]', b'"x"', b"7", b"1.5", b"true", b"null"]
)
def test_json_that_is_no_object(app, writable, body):
    for method, path, who, _ in writable:
        answer = send(app, method, path, body, JSON, who, 400)
        assert faults(answer) == {"": "body"}
        assert "object" in answer.json["errors"][0]["description"]


def test_unknown_fields_are_named(app, writable):
    for method, path, who, body in writable:
        typed = body | {"titel": 1, "": None}
        answer = app.call(method, path, typed, who=who, status=400)
        assert faults(answer) == {"titel": "body", "": "body"}


def test_lone_surrogates(app, writable):
    for method, path, who, body in writable:
        for field in body.keys() - {"ttl"}:
            sent = json.dumps(body | {field: "x\ud800x"}).encode()
            assert b"\\ud800" in sent
            assert faults(send(app, method, path, sent, JSON, who, 400)) == {field: "body"}


def test_a_lone_surrogate_in_the_name_of_a_field(app, owner):
    body = b'{"\\udfff": 1, "name": "x"}'
    answer = send(app, "POST", "/api/project", body, JSON, owner, 400)
    assert len(answer.json["errors"]) == 1


def test_a_pair_of_surrogates_is_a_character(app, owner):
    body = b'{"name": "\\ud83e\\udd81"}'
    answer = send(app, "POST", "/api/project", body, JSON, owner, 201)
    assert answer.json["name"] == "\N{LION FACE}"


def test_errors_are_short_whatever_was_sent(app, owner):
    many = {f"{'x' * 1000}{n}": 1 for n in range(500)}
    answer = app.post_json("/api/project", many, headers=owner.headers, status=400)
    assert len(answer.body) < 100_000


def test_what_was_sent_does_not_come_back_as_markup_or_secret(app):
    body = {"login": "x", "password": "secret7", "<script>": 1}
    answer = app.post_json("/api/user", body, status=400)
    assert "secret7" not in answer
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def padded(body, size):
    """JSON of exactly that many bytes."""
    text = json.dumps(body).encode()
    return text + b" " * (size - len(text))


def test_bodies_without_an_image_are_limited_to_a_mebibyte(app, writable):
    for method, path, who, body in writable:
        if "image" not in body:
            send(app, method, path, padded(body, MIB + 1), JSON, who, 413)
            send(app, method, path, padded(body, MIB), JSON, who)


def test_bodies_with_an_image_are_limited_too(app, writable):
    for method, path, who, body in writable:
        if "image" in body:
            send(app, method, path, padded(body, 2 * MIB), JSON, who)
            send(app, method, path, b" " * 18 * MIB, "text/plain", who, 413)


def test_unknown_paths(app, owner):
    for path in ("/x", "/ap", "/api//", "/api/users", "/API/user", "/favicon.ico", "/api/user/1/x"):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            app.call(method, path, status=404)
    app.get("/api/jwt", headers=owner.headers, status=404)
    app.get("/api/imagetarget", headers=owner.headers, status=404)


ALLOWED = {
    "/api/login": {"POST"},
    "/api/user": {"GET", "HEAD", "POST"},
    "/api/user/1": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "/api/project": {"GET", "HEAD", "POST"},
    "/api/project/1": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "/api/project/1/jwt": {"GET", "HEAD", "POST"},
    "/api/project/1/jwt/1": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "/api/project/1/imagetarget": {"GET", "HEAD", "POST"},
    "/api/project/1/imagetarget/1": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "/api/project/1/imagetarget/1/image": {"GET", "HEAD", "PUT"},
    "/health/live": {"GET", "HEAD"},
    "/health/ready": {"GET", "HEAD"},
    "/api/openapi.json": {"GET", "HEAD"},
    "/api/docs": {"GET", "HEAD"},
    "/api/docs/docs.js": {"GET", "HEAD"},
}


@pytest.mark.parametrize(("path", "allowed"), ALLOWED.items())
def test_methods(app, path, allowed):
    others = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed
    for method in others:
        for slash in ("", "/"):
            answer = app.call(method, path + slash, status=405)
            assert set(answer.headers["Allow"].split(", ")) == allowed | {"OPTIONS"}
    answer = app.options(path)
    assert 200 <= answer.status_int < 300
    assert set(answer.headers["Allow"].split(", ")) == allowed | {"OPTIONS"}


def test_methods_that_nobody_knows(app):
    """Without WebTest's lint, which refuses them itself."""
    unchecked = Client(app.app, lint=False)
    for path in ALLOWED:
        unchecked.call("BREW", path, status=405)
    unchecked.call("BREW", "/api/zoo", status=404)


def test_a_bug_of_ours_is_told_to_the_log_alone(app, monkeypatch, caplog):
    def bug(*_):
        raise RuntimeError("SELECT secret FROM vault")

    monkeypatch.setattr(users, "page", bug)
    caplog.set_level(logging.ERROR)
    answer = app.get("/api/user", status=500)
    assert "secret" not in answer
    assert "X-Request-ID" in answer.json["errors"][0]["description"]
    assert "SELECT secret FROM vault" in caplog.text
