"""What a target carries beside its image: name, physical_width, active and metadata."""

import json

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ar_targets.models import Target
from ar_targets.models.target import METADATA_MAX_BYTES

from ..client import FORBIDDEN, at_once, faults
from ..pictures import base64_of, drawn
from ..tables import audit
from ..tables import target as table

SMALL = drawn()
IMAGE = base64_of(SMALL)
DEFAULTS = {"name": None, "description": "", "physical_width": None, "active": True}
GIVEN = {
    "name": "Gate 门",
    "description": "a gate",
    "physical_width": 0.297,
    "active": False,
    "metadata": {"artist": "Ann", "tags": [1, 2.5, None, True]},
}
# Any value of JSON; NUL characters and lone surrogates are refused.
LETTERS = st.characters(exclude_characters="\0", codec="utf-8")
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(LETTERS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(LETTERS), inner, max_size=4)
    ),
)


def test_all_of_them(app, project, write_token):
    created = app.call(
        "POST", project.targets, GIVEN | {"image": IMAGE}, who=write_token, status=201
    )
    assert created.json.items() >= GIVEN.items()
    read = app.call("GET", created.headers["Location"], who=write_token, status=200)
    assert read.json == created.json | {"image": IMAGE}
    (listed,) = app.call("GET", project.targets, who=write_token).json["items"]
    assert listed == {k: v for k, v in created.json.items() if k != "metadata"}
    (listed,) = app.call("GET", f"{project.targets}?fields=metadata", who=write_token).json["items"]
    assert listed == created.json


def test_put_sets_defaults_and_patch_keeps(app, stage, project, write_token):
    path = app.call("POST", project.targets, GIVEN | {"image": IMAGE}, who=write_token).json
    path = f"{project.targets}/{path['id']}"
    for name, value in GIVEN.items():
        changed = app.call("PATCH", path, {name: value}, who=write_token, status=200).json
        assert changed.items() >= GIVEN.items()
    changed = app.call("PATCH", path, {"image": IMAGE}, who=write_token, status=200).json
    assert changed.items() >= GIVEN.items()
    replaced = app.call("PUT", path, {"image": IMAGE}, who=write_token, status=200).json
    assert replaced.items() >= (DEFAULTS | {"metadata": None}).items()
    assert app.call("GET", path, who=write_token).json.items() >= replaced.items()
    (row,) = stage.rows(table)
    assert (row["name_key"], row["metadata"], row["metadata_size"]) == (None, None, 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "1 to 255 characters"),
        ("name", " \t", "1 to 255 characters"),
        ("name", "x" * 256, "not 256"),
        ("name", 7, "a number"),
        ("name", "a\0b", "NUL"),
        ("physical_width", 0, "above 0 and at most 1000"),
        ("physical_width", -1, "above 0"),
        ("physical_width", 1000.001, "at most 1000"),
        ("physical_width", "1", "not a string"),
        ("physical_width", True, "not a boolean"),
        ("active", None, "true or false, not null"),
        ("active", 1, "true or false, not a number"),
        ("active", "true", "true or false, not a string"),
        ("metadata", "\0", "NUL"),
        ("metadata", {"a": ["\0"]}, "NUL"),
        ("metadata", "x" * (METADATA_MAX_BYTES - 1), "at most 2097152 bytes"),
    ],
)
def test_bad_values(app, request, project, write_token, method, field, value, words):
    target = request.getfixturevalue("target")
    path = project.targets if method == "POST" else target.path
    body = {"image": IMAGE, field: value}
    refused = app.call(method, path, body, who=write_token, status=400)
    assert faults(refused) == {field: "body"}
    assert words in refused.json["errors"][0]["description"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x"),
        ("name", "é" * 255),
        ("name", "\N{MUSICAL SYMBOL SIXTEENTH NOTE}" * 255),
        ("name", None),
        ("physical_width", 1000),
        ("physical_width", 5e-324),
        ("physical_width", 0.1),
        ("physical_width", 1 / 3),
        ("physical_width", None),
        ("active", False),
        ("metadata", "x" * (METADATA_MAX_BYTES - 2)),
        ("metadata", "\\u0000 is the text of an escape"),
        ("metadata", [[0, 0]] * 200_000),
    ],
)
def test_good_values(app, project, write_token, target, field, value):
    changed = app.call("PATCH", target.path, {field: value}, who=write_token, status=200)
    assert changed.json[field] == value
    assert app.call("GET", target.path, who=write_token).json[field] == value


def test_a_name_is_trimmed_and_unique_in_its_project(
    app, stage, project, write_token, other_project
):
    stage.target(other_project, name="Straße")
    made = app.call("POST", project.targets, {"image": IMAGE, "name": " Straße\n"}, who=write_token)
    assert made.json["name"] == "Straße"
    for taken in ("straße", "STRASSE", "\tstrasse "):
        body = {"image": IMAGE, "name": taken}
        refused = app.call("POST", project.targets, body, who=write_token, status=409)
        assert faults(refused) == {"name": "body"}
    other = stage.target(project, name="other")
    for method, image in (("PATCH", {}), ("PUT", {"image": IMAGE})):
        body = image | {"name": "STRASSE"}
        app.call(method, other.path, body, who=write_token, status=409)
    # Its own name, in other letters.
    app.call("PATCH", f"{project.targets}/{made.json['id']}", {"name": "STRASSE"}, who=write_token)
    stage.delete(Target, made.json["id"])
    app.call("PATCH", other.path, {"name": "Straße"}, who=write_token, status=200)
    restore = f"{project.targets}/{made.json['id']}/restore"
    refused = app.call("POST", restore, who=write_token, status=409)
    assert faults(refused) == {"name": "body"}
    app.call("PATCH", other.path, {"name": None}, who=write_token, status=200)
    assert app.call("POST", restore, who=write_token, status=200).json["name"] == "STRASSE"


def test_any_number_may_have_no_name(app, project, write_token):
    for _ in range(3):
        app.call("POST", project.targets, {"image": IMAGE, "name": None}, who=write_token)


def test_a_name_is_given_once(app, project, write_token):
    body = {"image": IMAGE, "name": "gate"}
    calls = [lambda app: app.call("POST", project.targets, body, who=write_token, status="*")] * 8
    assert at_once(app, calls) == [201] + [409] * 7


TEXTS = [
    b"12345678901234567890123456789012345678901234567890",
    b"-0.0",
    b"1e400",
    b"0.10000000000000000000000000000000000001",
    b'{"b": 1, "a": [ ]}',
    b'"\\ud83d\\ude00 \xf0\x9f\x98\x80"',
    b"false",
    b"0",
    b'""',
    b"[" * 500 + b"]" * 500,
]


@pytest.mark.parametrize("text", TEXTS)
def test_metadata_comes_back_as_its_text(app, project, write_token, target, text):
    headers = write_token.headers | {"Content-Type": "application/json"}
    body = b'{"description": "x", "metadata": %b}' % text
    changed = app.patch(target.path, body, headers, status=200)
    assert b'"metadata":' + text in changed.body
    assert b'"metadata":' + text in app.get(target.path, headers=write_token.headers).body
    listed = app.get(f"{project.targets}?fields=metadata", headers=write_token.headers)
    assert b'"metadata":' + text in listed.body


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=JSON_VALUES)
def test_any_metadata(app, write_token, target, value):
    # Words of the server's own, which `tests.client` looks for in every answer.
    assume(not FORBIDDEN.search(json.dumps(value, ensure_ascii=False)))
    app.call("PATCH", target.path, {"metadata": value}, who=write_token, status=200)
    assert app.call("GET", target.path, who=write_token).json["metadata"] == value


@pytest.mark.parametrize(
    "text",
    [
        b"nope", b"[1,]", b"{'a': 1}", b"01", b"NaN", b"1 2", b'"\\ud800"', b'"\xff"', b"",
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_json(app, write_token, target, text):
    headers = write_token.headers | {"Content-Type": "application/json"}
    app.patch(target.path, b'{"metadata": %b}' % text, headers, status=400)
    assert app.call("GET", target.path, who=write_token).json["metadata"] is None


def test_values_outside_the_metadata_are_still_counted(app, write_token, target):
    headers = write_token.headers | {"Content-Type": "application/json"}
    values = b",".join([b"0"] * 80_000)
    app.patch(target.path, b'{"metadata": [%b]}' % values, headers, status=200)
    body = b'{"metadata": [1], "description": [%b]}' % values
    refused = app.patch(target.path, body, headers, status=400)
    assert "too many values" in refused.json["errors"][0]["description"]


def test_a_body_without_an_image_has_three_mebibytes(app, write_token, target):
    headers = write_token.headers | {"Content-Type": "application/json"}
    start, limit = b'{"description": "x"', 3 * 2**20
    app.patch(target.path, start + b" " * (limit - len(start) - 1) + b"}", headers, status=200)
    app.patch(target.path, start + b" " * (limit - len(start)) + b"}", headers, status=413)


def test_the_image_may_come_before_or_after_the_metadata(app, stage, project, write_token):
    metadata = {"text": "x" * 50_000, "quoted": 'a "quote"'}
    for fields in ({"image": IMAGE, "metadata": metadata}, {"metadata": metadata, "image": IMAGE}):
        body = json.dumps(fields).encode()
        headers = write_token.headers | {"Content-Type": "application/json"}
        made = app.post(project.targets, body, headers, status=201)
        assert made.json["metadata"] == metadata
    assert {row["image"] for row in stage.rows(table)} == {SMALL}


def test_the_trail_tells_of_them(app, stage, project, write_token, target):
    app.call("PATCH", target.path, {"name": "x", "metadata": {"secret": 1}}, who=write_token)
    details = max(stage.rows(audit), key=lambda row: row["id"])["details"]
    assert json.loads(details) == {"name": "x", "metadata": "set"}
