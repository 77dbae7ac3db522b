"""Strict fields: no coercion, all faults named, and words that help."""

import json

import msgspec
import pytest

from ar_targets.models.target import DEFAULTS
from ar_targets.schemas.login import LoginBody
from ar_targets.schemas.project import ProjectBody
from ar_targets.schemas.target import TargetBody
from ar_targets.schemas.token import TokenBody, TokenTtlBody
from ar_targets.schemas.user import UserBody

NO_STRING = {
    "null": None,
    "a boolean": True,
    "an object": {},
    "an array": [],
    "a number": 1.5,
}


@pytest.mark.parametrize("named", NO_STRING)
def test_not_a_string(named):
    fields, wrong = ProjectBody().load({"name": NO_STRING[named]})
    assert (fields, wrong) == ({}, {"name": f"it must be a string, not {named}"})


@pytest.mark.parametrize("ttl", [None, True, "60", 60.0, 59.5, [], {}])
def test_not_a_whole_number(ttl):
    fields, wrong = TokenTtlBody().load({"ttl": ttl})
    assert fields == {}
    assert wrong["ttl"].startswith("it must be a whole number, not ")


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_nul(text):
    assert "NUL" in LoginBody().load({"login": text, "password": ""})[1]["login"]


@pytest.mark.parametrize(
    ("text", "has_one"),
    [
        (rb"\u0000", True),
        (rb"\\u0000", False),
        (rb"\\\u0000", True),
        (rb"\n\u0000", True),
        (rb"\\\\u0000 \\u0000", False),
        (rb"\\\\u0000 \\\u0000", True),
    ],
)
def test_nul_in_json(text, has_one):
    wrong = TargetBody.for_patch().load({"metadata": msgspec.Raw(b'"%b"' % text)})[1]
    assert ("NUL" in wrong.get("metadata", "")) == has_one
    assert ("\0" in json.loads(b'"%b"' % text)) == has_one


@pytest.mark.parametrize("text", ["\ud800", "a\udfffé"])
def test_lone_surrogate(text):
    assert "surrogate" in ProjectBody().load({"name": text})[1]["name"]


def test_all_faults_are_named():
    fields, wrong = UserBody().load({"login": "", "pasword": "x", "id": 3})
    assert fields == {}
    assert wrong == {
        "pasword": "there is no such field; there are login, password",
        "login": "it must have 1 to 64 characters, not 0",
        "password": "it is missing",
    }


def test_read_only_fields_may_come_back():
    sent = {"id": 1, "name": " x ", "created_at": "", "updated_at": None}
    assert ProjectBody().load(sent) == ({"name": "x"}, {})


def test_a_name_of_spaces_is_empty():
    assert "not 0" in ProjectBody().load({"name": " \u2003\n"})[1]["name"]


def test_lengths_are_counted_in_characters():
    assert UserBody().load({"login": "😀" * 64, "password": "é" * 8})[1] == {}
    assert "not 65" in UserBody().load({"login": "😀" * 65, "password": "é" * 8})[1]["login"]


def test_bytes_of_a_description_are_counted_in_utf8():
    good = {"image": "x", "description": "€" * 21_845}
    assert TargetBody().load(good)[1] == {}
    assert "not 65536" in TargetBody().load(good | {"description": "x" * 65_536})[1]["description"]


def test_defaults():
    assert TokenBody().load({}) == ({"access": "write", "description": ""}, {})
    assert TargetBody().load({"image": "x"})[0] == {"image": "x", **DEFAULTS}


def test_a_patch_has_no_defaults():
    TargetBody.for_patch()
    assert "description" in TargetBody().load({"image": "x"})[0]
    assert TargetBody.for_patch().load({}) == ({}, {})
    assert TargetBody.for_patch().load({"image": None})[1] == {
        "image": "it must be a string, not null"
    }


def test_access():
    assert TokenBody().load({"access": "admin"})[1] == {"access": "it must be 'read' or 'write'"}
