"""A project's index follows what is committed; and it is dropped where there is no room."""

import pytest
from sqlalchemy import delete, update

from ar_targets.db.session import transaction_scope
from ar_targets.models import feature_set, soft_delete
from ar_targets.models.target import Target

from .pictures import DAHLIA, GATE, PART, SMALL_DAHLIA, SMALL_GATE
from .process import VisionServer


@pytest.fixture
def ids(server, project):
    """The ids of what is similar to a picture, in their own order."""

    def ask(picture, of=project):
        return sorted(similar.id for similar in server.client.similar(of.id, picture))

    return ask


@pytest.fixture
def change(stage):
    """Commits a change of a target."""

    def commit(target, **values):
        with transaction_scope(stage.engine) as db:
            db.write(update(Target).where(Target.id == target.id).values(values))

    return commit


def test_an_added_target(analysed, project, ids):
    assert ids(GATE) == []
    first = analysed(project, GATE)
    assert ids(GATE) == [first.id]
    second = analysed(project, SMALL_GATE)
    assert ids(GATE) == [first.id, second.id]
    assert ids(DAHLIA) == []


def test_a_replaced_picture(analysed, change, store, project, ids, stage):
    target = analysed(project, GATE)
    assert ids(GATE) == [target.id]
    flower = stage.target(project, DAHLIA)
    (row,) = [row for row in stage.rows(Target.__table__) if row["id"] == flower.id]
    change(target, image=DAHLIA, sha256=row["sha256"])
    # Its old features are of no use, the new ones are not there yet.
    assert ids(GATE) == ids(DAHLIA) == []
    store(project, target, DAHLIA)
    assert ids(GATE) == []
    assert ids(DAHLIA) == [target.id]


def test_a_deleted_target_and_its_restoration(analysed, stage, project, ids, server):
    target, other = analysed(project, GATE), analysed(project, SMALL_GATE)
    assert ids(GATE) == [target.id, other.id]
    stage.delete(Target, target.id)
    assert ids(GATE) == [other.id]
    # The worker is told of it all the same: it may come back.
    found = server.client.similar_to(project.id, other.id)
    assert [similar.id for similar in found] == [target.id]
    with transaction_scope(stage.engine) as db:
        soft_delete.restore(db, Target, target.id)
    assert ids(GATE) == [target.id, other.id]


def test_a_purged_target(analysed, stage, project, ids):
    target, other = analysed(project, GATE), analysed(project, SMALL_GATE)
    assert ids(GATE) == [target.id, other.id]
    with transaction_scope(stage.engine) as db:
        db.write(delete(Target).where(Target.id == target.id))
    assert ids(GATE) == [other.id]
    # More than a tenth is gone: the index is loaded anew.
    assert ids(GATE) == [other.id]


def test_a_moved_target(analysed, change, store, project, other_project, ids):
    target = analysed(project, GATE)
    assert ids(GATE) == [target.id]
    assert ids(GATE, other_project) == []
    change(target, project_id=other_project.id)
    assert ids(GATE) == ids(GATE, other_project) == []
    store(other_project, target, GATE)
    assert ids(GATE) == []
    assert ids(GATE, other_project) == [target.id]


def test_features_of_another_version(analysed, stage, project, ids):
    target = analysed(project, GATE)
    row = feature_set.FeatureSetRow
    with transaction_scope(stage.engine) as db:
        db.write(update(row).values(version=row.version + 1))
    assert ids(GATE) == []
    with transaction_scope(stage.engine) as db:
        db.write(update(row).values(version=row.version - 1))
    assert ids(GATE) == [target.id]


def test_the_dead_take_no_places_of_the_living(analysed, stage, project, ids):
    living = analysed(project, SMALL_GATE)
    for _ in range(130):
        dead = analysed(project, GATE)
        stage.delete(Target, dead.id)
    assert ids(GATE) == [living.id]


def test_what_is_most_similar_comes_first_and_no_more_than_is_asked_for(analysed, project, server):
    part = analysed(project, PART)
    copies = [analysed(project, SMALL_GATE) for _ in range(51)]
    for_pictures = server.client.similar(project.id, SMALL_GATE)
    assert [similar.id for similar in for_pictures] == [copy.id for copy in copies[:20]]
    for_targets = server.client.similar_to(project.id, copies[0].id)
    assert [similar.id for similar in for_targets] == [copy.id for copy in copies[1:]]
    with_part = server.client.similar_to(project.id, part.id)
    assert all(0.5 < similar.value < 0.95 for similar in with_part)


def test_a_copy_comes_before_a_part(analysed, project, server):
    part, copy = analysed(project, PART), analysed(project, SMALL_GATE)
    found = server.client.similar(project.id, SMALL_GATE)
    assert [similar.id for similar in found] == [copy.id, part.id]


def test_similarity_is_the_same_in_both_directions(analysed, project, server):
    first, second = analysed(project, GATE), analysed(project, SMALL_GATE)
    (there,) = server.client.similar_to(project.id, first.id)
    (back,) = server.client.similar_to(project.id, second.id)
    assert (there.id, back.id) == (second.id, first.id)
    assert there.value == back.value


def test_what_was_used_longest_ago_is_dropped(
    database_url, tmp_path, analysed, project, other_project
):
    gate, dahlia = analysed(project, GATE), analysed(other_project, DAHLIA)
    with VisionServer(database_url, tmp_path, vision_memory="1").running() as server:

        def ask(of, picture):
            return [similar.id for similar in server.client.similar(of.id, picture)]

        def held():
            names = ("index_loads_total", "index_drops_total", "indexes")
            return tuple(server.metric(name) for name in names)

        assert ask(project, SMALL_GATE) == ask(project, SMALL_GATE) == [gate.id]
        # Larger than what is allowed by itself, and held until there is another one.
        assert held() == (1, 0, 1)
        assert "alone takes" in server.log
        assert ask(other_project, SMALL_DAHLIA) == [dahlia.id]
        assert held() == (2, 1, 1)
        assert ask(project, SMALL_GATE) == [gate.id]
        assert held() == (3, 2, 1)
        assert server.metric("index_bytes") > 1
