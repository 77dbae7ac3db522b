"""What is told of a row that somebody else has changed since it was read."""

from types import SimpleNamespace

import pytest

from ar_targets.db.session import transaction_scope
from ar_targets.images import jpeg
from ar_targets.models import project as projects
from ar_targets.models import target as targets
from ar_targets.models import token as tokens
from ar_targets.telemetry import request_context
from ar_targets.telemetry.request_context import RequestContext

from ..pictures import CHINA, FLOWER, drawn

IMAGE = jpeg.prove(FLOWER, 10**6)
OTHER = jpeg.prove(drawn(), 10**6)
# What a request sets, and what somebody else has set before: in the latter, also the
# value that was there already.
SET = {
    "description": {"description": "mine"},
    "image": {"image": IMAGE},
    "both": {"image": IMAGE, "description": "mine"},
}
BEFORE = {
    "nothing": None,
    "description": {"description": "theirs"},
    "capitals": {"description": "A GATE"},
    "image": {"image": OTHER},
    "the same image": {"image": jpeg.prove(CHINA, 10**6)},
    "both": {"image": OTHER, "description": "theirs"},
}


@pytest.fixture
def work(stage):
    """Runs something in a transaction; its result, and how many statements it has taken."""

    def run(do):
        noted = RequestContext("-")
        token = request_context.current.set(noted)
        try:
            with transaction_scope(stage.engine) as db:
                result = do(db)
        finally:
            request_context.current.reset(token)
        return SimpleNamespace(result=result, statements=noted.statements)

    return run


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("mine", SET)
def test_target(stage, project, work, mine, before):
    made = stage.target(project, CHINA, "a gate")
    read = work(lambda db: targets.find(db, project.id, made.id)).result
    if BEFORE[before]:
        work(lambda db: targets.change(db, read, BEFORE[before]))
    told = work(lambda db: targets.change(db, read, SET[mine]))
    assert told.result == work(lambda db: targets.find(db, project.id, made.id)).result
    assert told.result.revision == (3 if BEFORE[before] else 2)
    # The change and its audit entry, a new picture's analysis; behind another change, reading it
    # again.
    assert told.statements == 2 + ("image" in SET[mine]) + bool(BEFORE[before])


def test_project(stage, owner, stranger, project, work):
    read = work(lambda db: projects.find(db, project.id)).result
    told = work(lambda db: projects.rename(db, read, "Park")).result
    again = work(lambda db: projects.rename(db, read, "Field"))
    assert (told.name, told.revision) == ("Park", 2)
    assert (again.result.name, again.result.revision, again.statements) == ("Field", 3, 2)
    handed = work(lambda db: projects.hand_over(db, read, stranger.id)).result
    assert handed == work(lambda db: projects.find(db, project.id)).result
    assert (handed.name, handed.owner_id) == ("Field", stranger.id)
    late = work(lambda db: projects.rename(db, read, "Garden")).result
    assert late == work(lambda db: projects.find(db, project.id)).result
    assert (late.name, late.owner_id) == ("Garden", stranger.id)


def test_token(project, write_token, work):
    read = work(lambda db: tokens.find(db, project.id, write_token.id)).result
    for ttl in (50, 70):
        told = work(lambda db, ttl=ttl: tokens.extend(db, read, ttl))
        assert told.result == work(lambda db: tokens.find(db, project.id, write_token.id)).result
        assert (told.result.ttl, told.statements) == (ttl, 2)
