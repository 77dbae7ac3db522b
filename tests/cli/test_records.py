"""What the fields of records may hold, and that nothing else is taken of a server."""

import itertools
import math

import pytest

from ar_targets_client import (
    Analysis,
    ClientError,
    Limits,
    Login,
    Member,
    Problem,
    Project,
    Similar,
    Target,
    Token,
    Usage,
    User,
)
from ar_targets_client.fields import IMAGE_MAX

from .imposter import analysis, pending, problem, record, similar

MOMENT = "2026-11-23T07:03:14.650144Z"
STORED = {"id": 1, "created_at": MOMENT, "updated_at": MOMENT}
RIGHT = {
    Login: {"token": "a.b.c", "expires_at": MOMENT},
    User: STORED | {"login": "ann"},
    Project: STORED | {"name": "Zoo", "deleted_at": MOMENT, "role": "viewer"},
    Member: {
        "user_id": 1,
        "login": "ann",
        "role": "editor",
        "created_at": MOMENT,
        "updated_at": MOMENT,
    },
    Token: STORED
    | {
        "project_id": 1,
        "token": "a.b.c",
        "access": "read",
        "description": "",
        "ttl": 60,
        "valid": True,
        "expires_at": MOMENT,
        "revoked_at": None,
    },
    Limits: {"targets": 1000, "bytes": 2**41},
    Usage: {"targets": 0, "bytes": 2**40, "limits": {"targets": 1000, "bytes": 2**41}},
    Problem: problem("low_contrast"),
    Similar: similar(2),
    Analysis: analysis(
        4,
        "blurred",
        similar=[similar(3), similar(2, name=None, similarity=0.5)],
        heatmap_url="http://127.0.0.1/x",
    ),
    Target: record(1, metadata={"ü": [1, None, 0.5]}, deleted_at=MOMENT, analysis=pending()),
}


def nested(deep):
    """What a parser may take, and nobody can write again."""
    value = []
    for _ in range(deep):
        value = [value]
    return value


WRONG = [
    (Login, "token", ["", "a.b", "a.b.c\n", "a b.c.d", "a.b.c\r\nX-Evil: 1", None, 1]),
    (Login, "token", ["a.b." + "c" * 9000]),
    (Login, "expires_at", ["", "soon", None, 1, "2026-11-23T07:03:14Z"]),
    (Login, "expires_at", ["9999-12-31T23:59:59.999999Z"]),
    (User, "id", [0, -1, 2**63, True, "1", "../x", 1.0, None]),
    (User, "login", ["", "x" * 65, "x\0", "\udfff", None, 1]),
    (Project, "name", ["", "x" * 256, "x\0", "\ud800", None, ["Zoo"]]),
    (Project, "role", ["", "owner", None, "editor\n"]),
    (Member, "user_id", [0, True, "1", None]),
    (Member, "login", ["", "x" * 65]),
    (Member, "role", ["", "Editor", "viewer ", None, ["editor"]]),
    (Token, "project_id", ["1", 0, True]),
    (Token, "access", ["", "admin", "read\n", None, True]),
    (Token, "description", ["x" * 256, "\0", None]),
    (Token, "ttl", ["60", 0, 1.5, 2**63, False]),
    (Token, "valid", [1, 0, "true", None]),
    (Token, "revoked_at", ["", False, "never"]),
    (Target, "size", [0, IMAGE_MAX + 1]),
    (Target, "name", ["", "x" * 256, "x\0", "\ud800", 1, False]),
    (Target, "physical_width", [0, -0.1, 1000.1, "1", True, math.nan, math.inf, [1]]),
    (Target, "active", [None, 1, "true"]),
    (Target, "metadata", [math.nan, [math.inf], {"x": "\ud800"}, nested(5000)]),
    (Target, "deleted_at", [None, "", "soon", 0]),
    (Project, "deleted_at", [None, "2026-11-23"]),
    (Limits, "targets", [-1, 0.5, True, "1", 2**63]),
    (Limits, "bytes", ["unlimited", None, [1]]),
    (Usage, "targets", [-1, None, "1"]),
    (Usage, "bytes", [None, 1.0, False]),
    (Problem, "code", ["", "Blurred", "a b", "x" * 65, "blurred\n", None, 1]),
    (Problem, "severity", ["", "fatal", "error\n", None, 2]),
    (Problem, "description", [None, 1, "x\0", "\ud800", "x" * 10_001]),
    (Problem, "remedy", [None, ["x"]]),
    (Problem, "area", [[], [1, 2, 3], [0, 0, 1, 1, 1], [0, 0, -1, 1], [0, 0, 1.5, 1], "0011", 1]),
    (Similar, "id", [0, "1", None]),
    (Similar, "name", ["", "x\0", 1]),
    (Similar, "similarity", [-0.1, 1.1, True, "1", None, math.nan]),
    (Analysis, "status", ["", "Done", "pending\n", None, 1]),
    (Analysis, "version", [0, 1.5, True, "1", None]),
    (Analysis, "analysed_at", ["", "soon", 1]),
    (Analysis, "trackability", [-1, 101, 0.5, True, "1"]),
    (Analysis, "rating", [-1, 6, 2.5, False, "★"]),
    (Analysis, "features", [-1, 0.5, True]),
    (Analysis, "problems", [None, {}, "none", 0]),
    (Analysis, "similar", [None, {}, "none", 0]),
    (Analysis, "heatmap_url", ["", "/x", "javascript:x", 1, None, "data:text/html;base64,eA=="]),
]


@pytest.mark.parametrize("kind", RIGHT)
def test_what_ar_targets_sends_is_taken(kind):
    """Guards what works, and that every field of the server's has a check."""
    assert kind.read(RIGHT[kind]).as_json() == RIGHT[kind]
    assert kind.checks.keys() == RIGHT[kind].keys()


@pytest.mark.parametrize("name", ["metadata", "deleted_at", "analysis"])
def test_what_is_not_in_each_answer(name):
    """A list leaves it out, and so does the record's JSON: it is not null."""
    sent = {field: value for field, value in RIGHT[Target].items() if field != name}
    assert Target.read(sent).as_json() == sent
    assert not getattr(Target.read(sent), name)
    assert Target.read(RIGHT[Target] | {"metadata": None}).as_json()["metadata"] is None


CASES = [(kind, name, value) for kind, name, values in WRONG for value in values]


@pytest.mark.parametrize(("kind", "name", "value"), CASES, ids=itertools.count())
def test_what_it_would_not_send_is_refused(kind, name, value):
    """Guards, for moments that are none, what held before in other words."""
    with pytest.raises(ClientError, match=f"its {name} must be") as caught:
        kind.read(RIGHT[kind] | {name: value})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("limits", [None, [], {}, {"targets": 1}, {"targets": -1, "bytes": 1}])
def test_limits_that_are_none(limits):
    with pytest.raises(ClientError, match="the answer is no limits of ar_targets"):
        Usage.read(RIGHT[Usage] | {"limits": limits})


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("problems", [problem("blurred"), None], "problem"),
        ("problems", [problem("blurred", severity="fatal")], "problem"),
        ("similar", [similar(0)], "similar"),
        ("similar", [[]], "similar"),
    ],
)
def test_items_that_are_none(field, value, kind):
    with pytest.raises(ClientError, match=f"the answer is no {kind} of ar_targets"):
        Analysis.read(analysis(3, **{field: value}))


@pytest.mark.parametrize("number", ["trackability", "rating", "features"])
def test_numbers_are_missing_only_until_it_is_done(number):
    assert getattr(Analysis.read(pending()), number) is None
    with pytest.raises(ClientError, match="a number is missing"):
        Analysis.read(analysis() | {number: None})


def test_a_token_is_not_repeated_in_an_error():
    with pytest.raises(ClientError) as caught:
        Login.read(RIGHT[Login] | {"token": "a secret"})
    assert "secret" not in str(caught.value)
