"""What the mixins of mapped classes promise, for each noun there is."""

import pytest
from sqlalchemy import String, inspect

from ar_targets.models import Project, Target, Token, User
from ar_targets.models.audit import DETAILS_MAX, TEXT_MAX
from ar_targets.models.audit import Audit as Entry
from ar_targets.models.noun import (
    Audited,
    DeletedWithParent,
    Expiring,
    Owned,
    Purgeable,
    Revisioned,
    Revocable,
    RevokedWithCreator,
    SoftDeletable,
    children,
    noun_named,
    nouns,
    parent,
    revoked_along,
    table,
)


def indexes(noun):
    """The columns of each index, by its name."""
    return {index.name: [column.name for column in index.columns] for index in table(noun).indexes}


def test_parents_come_before_their_children():
    listed = nouns(Revisioned)
    assert set(listed) >= {User, Project, Token, Target}
    for noun in nouns(Owned):
        assert listed.index(parent(noun)) < listed.index(noun)
        assert noun in children(parent(noun))


def test_a_noun_is_found_by_its_table():
    assert noun_named(SoftDeletable, "target") is Target
    assert noun_named(SoftDeletable, "token") is None


@pytest.mark.parametrize("noun", nouns(Revisioned))
def test_names(noun):
    assert noun.plural
    assert noun.label in inspect(noun).columns


@pytest.mark.parametrize("noun", nouns(Audited))
def test_what_an_entry_shows_is_there_and_fits(noun):
    assert noun.label in noun.audited
    assert {*noun.audited, *noun.audited_as_set} <= {*table(noun).columns.keys()}
    # Escaped, a character of a text takes six.
    texts = [name for name in noun.audited if isinstance(table(noun).columns[name].type, String)]
    assert len(texts) * TEXT_MAX * 6 < DETAILS_MAX
    assert len(noun.__tablename__) <= table(Entry).columns["noun"].type.length


@pytest.mark.parametrize("noun", nouns(SoftDeletable))
def test_deleted_rows_are_found_by_an_index(noun):
    """Which the purge, the counts and the panel's lists force by its name."""
    name = noun.__tablename__
    assert indexes(noun)[f"ix_{name}_deleted_at_id"] == ["deleted_at", "id"]


@pytest.mark.parametrize("noun", nouns(Expiring))
def test_expired_rows_are_found_by_an_index(noun):
    assert indexes(noun)[f"ix_{noun.__tablename__}_expires_at"] == ["expires_at"]
    assert noun.expired


@pytest.mark.parametrize("noun", nouns(Revocable))
def test_revoked_rows_are_found_by_an_index(noun):
    assert indexes(noun)[f"ix_{noun.__tablename__}_revoked_at"] == ["revoked_at"]


@pytest.mark.parametrize("noun", nouns(Owned))
def test_rows_of_a_parent_are_found_by_an_index(noun):
    assert noun.parent_key in {columns[0] for columns in indexes(noun).values()}


@pytest.mark.parametrize("noun", nouns(RevokedWithCreator))
def test_rows_of_a_creator_are_found_by_an_index(noun):
    creator = noun_named(SoftDeletable, noun.creator)
    assert noun in revoked_along(creator)
    assert "created_by" in {columns[0] for columns in indexes(noun).values()}


@pytest.mark.parametrize("noun", nouns(DeletedWithParent))
def test_the_label_of_a_deleted_row_is_free_again(noun):
    key = f"live_{noun.label}_key"
    assert indexes(noun)[f"uq_{noun.__tablename__}_{key}"] == [key]


def test_what_has_rows_below_it_is_removed_after_them():
    assert {*nouns(Purgeable)} == {noun for noun in nouns(SoftDeletable) if children(noun)}
