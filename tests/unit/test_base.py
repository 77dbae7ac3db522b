"""Keys for names, and ids in their one proper form."""

import pytest

from ar_targets.db.base import MAX_ID, fold, parse_id

SAME = [("Ann", "aNN"), ("Straße", "STRASSE"), ("é", "e\u0301"), ("ΣΑΣ", "σας"), ("İ", "i\u0307")]
DIFFERENT = [("é", "e"), ("ann", "ann "), ("ann", " ann"), ("ı", "i"), ("ﬀx", "f x"), ("1", "¹")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_fold_same(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_fold_different(one, other):
    assert fold(one) != fold(other)


def test_parse_id():
    assert parse_id("1") == 1
    assert parse_id(str(MAX_ID)) == MAX_ID


@pytest.mark.parametrize(
    "text", ["", "0", "01", "-1", "+1", " 1", "1 ", "1\n", "1.0", "1e3", "٣", "x", str(MAX_ID + 1)]
)
def test_parse_id_refuses(text):
    assert parse_id(text) is None
