"""What is taken out of a body, and what is left in it, for the sake of speed alone."""

import json

import pytest
from pyramid.httpexceptions import HTTPBadRequest

from ar_targets.http.body import LARGE_STRING, STRINGS_BEFORE, parse_object

TEXT = "A/+b" * (LARGE_STRING // 4)
TAKEN_OUT = {
    "alone": {"image": TEXT},
    "first": {"image": TEXT, "description": "flower"},
    "last": {"description": "flower", "image": TEXT},
    "escapes before it": {"description": "a\nline \\ é", "image": TEXT},
    "escapes behind it": {"image": TEXT, "description": 'a "quoted"\nline \\'},
    "another behind it": {"image": TEXT, "description": TEXT},
    "not ASCII": {"description": "花 é", "image": TEXT},
    "values of all kinds": {"a": 1, "b": None, "c": [{"d": ["}"]}], "image": TEXT},
}
LEFT_IN = {
    "small": {"image": TEXT[:-4]},
    "empty": {},
    "no string": {"image": 5},
    "quotes before it": {"description": '"', "image": TEXT},
    "an escape before its beginning": {"description": "\\", "image": TEXT},
    "an escape at its end": {"image": TEXT + '"'},
    "escapes in it": {"image": "\n".join([TEXT] * 2)},
    "a large one before it": {"description": TEXT, "image": TEXT},
    "many before it": {str(number): 0 for number in range(STRINGS_BEFORE)} | {"image": TEXT},
    "another's": {"description": TEXT},
    "further down": {"image": "", "more": {"image": TEXT}},
    "a name": {TEXT: "image"},
}
WRITTEN = {
    "as Python does": json.dumps,
    "in little space": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "on several lines": lambda value: json.dumps(value, indent=2),
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("name", TAKEN_OUT)
def test_it_is_the_same_where_it_is_taken_out(name, way):
    value = TAKEN_OUT[name]
    found = parse_object(WRITTEN[way](value).encode(), "image")
    assert isinstance(found["image"], memoryview)
    assert found | {"image": bytes(found["image"]).decode()} == value


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("name", LEFT_IN)
def test_it_is_the_same_where_it_is_left_in(name, way):
    value = LEFT_IN[name]
    assert parse_object(WRITTEN[way](value).encode(), "image") == value


def test_nothing_is_taken_out_unasked():
    assert parse_object(json.dumps({"image": TEXT}).encode()) == {"image": TEXT}


def test_of_two_of_a_name_the_last_counts():
    twice = f'{{"image": "{TEXT}", "image": "last"}}'
    assert parse_object(twice.encode(), "image") == {"image": "last"}


@pytest.mark.parametrize(
    "body",
    [
        f'{{"image": "{TEXT}"',
        f'{{"image": "{TEXT}',
        f'{{"image": "{TEXT}", }}',
        f'{{"image" "{TEXT}"}}',
        f'"{TEXT}"',
        f'["{TEXT}"]',
        f'{{"image": "{TEXT}"}} {{}}',
    ],
)
def test_what_is_wrong_with_the_rest_is_said_of_the_whole(body):
    said = []
    for name in ("", "image"):
        with pytest.raises(HTTPBadRequest) as refused:
            parse_object(body.encode(), name)
        said.append(refused.value.body)
    assert said[0] == said[1]


def test_a_rest_that_is_no_unicode_is_refused():
    with pytest.raises(HTTPBadRequest):
        parse_object(f'{{"image": "{TEXT}", "description": "\xe9"}}'.encode("latin-1"), "image")
