"""Pairs of similar targets, whoever stores them in whatever order."""

import pytest

from ar_targets.db.session import transaction_scope
from ar_targets.models import feature_set, similarity

from ..tables import feature_set as features_table
from ..tables import similarity as table


@pytest.fixture
def features(stage, project):
    """Stores features of a target; returns their revision."""

    def keep(target, of=project):
        with transaction_scope(stage.engine) as db:
            return feature_set.keep(db, target.id, of.id, "0" * 64, b"features")

    return keep


@pytest.fixture
def keep(stage, project):
    def keep(target, revision, similar, of=project):
        with transaction_scope(stage.engine) as db:
            found = {other.id: value for other, value in similar.items()}
            similarity.keep(db, target.id, of.id, revision, found)

    return keep


def pairs(stage):
    return {(row["target_id"], row["other_id"]): row["value"] for row in stage.rows(table)}


def both(one, other, value):
    return {(one.id, other.id): value, (other.id, one.id): value}


def test_revisions_of_a_project_count_up(stage, project, other_project, features):
    one, two = stage.target(project), stage.target(project)
    three = stage.target(other_project)
    assert [features(one), features(two), features(one)] == [1, 2, 3]
    assert features(three, other_project) == 1


@pytest.mark.parametrize("later_ends_first", [True, False])
def test_two_at_the_same_moment_name_each_other(stage, project, features, keep, later_ends_first):
    """The first has asked before the second was there; whoever ends first, the pair stays."""
    one, two = stage.target(project), stage.target(project)
    first, second = features(one), features(two)
    ends = [(one, first, {}), (two, second, {one: 0.5})]
    for target, revision, similar in reversed(ends) if later_ends_first else ends:
        keep(target, revision, similar)
    assert pairs(stage) == both(one, two, 0.5)


def test_a_new_picture_ends_its_old_pairs(stage, project, features, keep):
    one, two, three = (stage.target(project) for _ in range(3))
    revisions = [features(one), features(two), features(three)]
    keep(two, revisions[1], {one: 0.5})
    keep(three, revisions[2], {one: 0.25, two: 0.75})
    keep(one, features(one), {three: 1.0})
    assert pairs(stage) == both(one, three, 1.0) | both(two, three, 0.75)


def test_what_was_found_with_a_picture_that_is_replaced_since_is_not_stored(
    stage, project, features, keep
):
    one, two = stage.target(project), stage.target(project)
    features(one)
    revision = features(two)
    keep(one, features(one), {})
    keep(two, revision, {one: 0.5})
    assert pairs(stage) == {}


def test_pairs_stay_until_the_other_is_of_the_new_version_too(stage, project, features, keep):
    one, two = stage.target(project), stage.target(project)
    features(one)
    keep(two, features(two), {one: 0.5})
    with stage.engine.begin() as connection:
        connection.execute(features_table.update().values(version=0))
    keep(two, features(two), {})
    assert pairs(stage) == both(one, two, 0.5)
    keep(one, features(one), {})
    assert pairs(stage) == {}


def test_a_target_leaves_its_pairs_behind_when_it_moves(
    stage, project, other_project, features, keep
):
    one, two = stage.target(project), stage.target(project)
    features(one)
    keep(two, features(two), {one: 0.5})
    keep(two, features(two, other_project), {}, other_project)
    assert pairs(stage) == {}


def test_a_target_that_is_gone_is_no_pair(stage, project, features, keep):
    one, two = stage.target(project), stage.target(project)
    features(one)
    revision = features(two)
    with stage.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM target WHERE id = {one.id}")
    keep(two, revision, {one: 0.5})
    assert pairs(stage) == {}
