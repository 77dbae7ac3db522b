"""A server for all tests of a module, and targets whose features a worker has stored."""

import functools

import pytest

from ar_targets.db.session import transaction_scope
from ar_targets.images import jpeg
from ar_targets.models import feature_set
from ar_targets.vision import examine

from .process import VisionServer


@functools.cache
def features_of(picture: bytes) -> bytes:
    return examine.extract(picture).to_bytes()


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    directory = tmp_path_factory.mktemp("vision")
    with VisionServer(database_url, directory).running() as started:
        yield started


@pytest.fixture
def store(stage):
    """As the worker does: stores the features of a target's picture."""

    def store(project, target, picture):
        sha256 = jpeg.prove(picture, 10**8).sha256
        with transaction_scope(stage.engine) as db:
            feature_set.keep(db, target.id, project.id, sha256, features_of(picture))

    return store


@pytest.fixture
def analysed(stage, store):
    """Makes a target whose features are stored."""

    def make(project, picture, **fields):
        target = stage.target(project, picture, **fields)
        store(project, target, picture)
        return target

    return make
