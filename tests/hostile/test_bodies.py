"""Bodies that are made to cost a lot: each is refused, and cheaply."""

import json

import orjson
import pytest
import webtest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..client import check_error
from ..pictures import base64_of, drawn
from .cost import cheap

# Marks that Unicode wants sorted; they come in the worst order.
MARKS = "\u0300\u0316"


def send(app, path, body, status, who=None):
    """Post bytes, or what is JSON for them, in as few bytes as can be."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = who.headers if who else {}
    with cheap():
        return app.post(path, raw, headers, content_type="application/json", status=status)


@pytest.mark.parametrize("login", ["a" + MARKS * 200_000, "ﷺ" * 300_000, "\U0001d15e" * 200_000])
def test_a_login_that_is_long_to_fold_is_nobodys(app, login):
    send(app, "/api/login", {"login": login, "password": "wrong"}, 401)
    send(app, "/api/user", {"login": login, "password": "eight ch"}, 400)


def repeated(start, piece, end, size):
    """A body of about so many bytes."""
    return start + piece * ((size - len(start) - len(end)) // len(piece)) + end


def keys(number):
    return b"{" + b",".join(b'"%x":0' % n for n in range(number)) + b"}"


MIB = 2**20
# The largest body of a target, without an image in it.
LARGE = 14 * MIB
MANY_VALUES = {
    "lists": repeated(b'{"image":[', b"[],", b"0]}", LARGE),
    "nested lists": repeated(b'{"image":[', b"[" * 900 + b"]" * 900 + b",", b"0]}", LARGE),
    "objects": repeated(b'{"image":[', b"{},", b"0]}", LARGE),
    "numbers": repeated(b'{"image":[', b"0,", b"0]}", LARGE),
    "keys": keys(1_300_000),
    "the same key": repeated(b"{", b'"image":0,', b'"image":0}', LARGE),
    "100,000 keys": keys(100_000),
}


@pytest.mark.parametrize("shape", MANY_VALUES)
def test_a_body_of_many_values_is_not_even_parsed(app, project, write_token, shape):
    refused = send(app, project.targets, MANY_VALUES[shape], 400, write_token)
    assert "too many values" in refused.json["errors"][0]["description"]


def test_a_body_of_many_values_elsewhere(app, owner):
    refused = send(app, "/api/project", keys(90_000)[: MIB - 1], 400, owner)
    assert "too many values" in refused.json["errors"][0]["description"]


def test_as_many_commas_as_a_description_may_have(app, project, write_token):
    for mark in ",[{":
        body = {"image": base64_of(drawn()), "description": mark * 65_535}
        made = send(app, project.targets, body, 201, write_token)
        assert made.json["description"] == body["description"]


@pytest.mark.parametrize("number", [100, 60_000])
def test_a_body_of_many_keys_names_some(app, owner, number):
    refused = send(app, "/api/project", keys(number), 400, owner)
    assert len(refused.json["errors"]) == 100


DEEP = {
    "lists": b"[" * 60_000 + b"]" * 60_000,
    "objects": b'{"a":' * 60_000 + b"0" + b"}" * 60_000,
    "open lists": b"[" * 60_000,
    "open objects": b'{"a":' * 60_000,
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("before", [b"", rb'"description":"\ud800",'])
def test_deep_nesting(app, project, write_token, name, before):
    send(app, project.targets, b"{" + before + b'"image":' + DEEP[name] + b"}", 400, write_token)
    send(app, project.targets, DEEP[name], 400, write_token)


LONG = {
    "accents": "é" * (7 * MIB - 100),
    "signs": "😀" * (7 * MIB // 2),
    "line breaks": "\n" * (7 * MIB - 100),
    "equals signs": "=" * (13 * MIB),
    "NULs": "\0" * (2 * MIB),
    "a data URI of data URIs": "data:image/jpeg;base64," * (MIB // 2),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_text_that_is_no_image(app, project, write_token, name):
    # Bytes are counted, not characters.
    status = 400 if LONG[name].isascii() else 413
    send(app, project.targets, {"image": LONG[name]}, status, write_token)


SURROGATES = {
    "alone": rb'{"image":"\ud800"}',
    "after a long text": b'{"image":"' + b"a" * LARGE + rb'\udfff"}',
    "many": b'{"image":"' + rb"\ud800" * (2 * MIB) + b'"}',
    "and a number of many digits": rb'{"image":"\ud800","description":' + b"1" * MIB + b"}",
    "and no JSON": rb'{"image":"\ud800",' + b"x" * MIB,
}


@pytest.mark.parametrize("name", SURROGATES)
def test_lone_surrogates(app, project, write_token, name):
    send(app, project.targets, SURROGATES[name], 400, write_token)


NUMBERS = [
    b"1" * 500_000,
    b"1e999999",
    b"-0",
    b"0" * 1000,
    b"1." + b"0" * 500_000,
    b"NaN",
    b"1e400",
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:8].decode())
def test_odd_numbers(app, owner, project, number):
    send(app, project.tokens, b'{"ttl":' + number + b"}", 400, owner)


# What JSON has, and what it has not, at any depth.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
FIELDS = ["login", "password", "name", "ttl", "access", "description", "image", "id"]
BODIES = VALUES | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=9), VALUES, max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
def test_any_body_is_taken_or_refused(app, owner, project, write_token, target, body):
    calls = [
        ("POST", "/api/login", None),
        ("POST", "/api/user", None),
        ("POST", "/api/project", owner),
        ("PATCH", project.path, owner),
        ("POST", project.tokens, owner),
        ("PUT", write_token.path, owner),
        ("POST", project.targets, write_token),
        ("PATCH", target.path, write_token),
    ]
    # A plain client: an error may repeat a client's own words, those of our columns included.
    client = webtest.TestApp(app.app)
    for method, path, who in calls:
        answer = client.request(
            path,
            method=method,
            body=body,
            headers=(who.headers if who else {}) | {"Content-Type": "application/json"},
            status="*",
        )
        assert answer.status_int in (200, 201, 400, 401, 409)
        if answer.status_int >= 400:
            check_error(answer.json)
