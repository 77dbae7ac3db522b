"""Each table there is: emptied by the cleanup, or listed with a reason why it need not be."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import (
    Base,
    admin_session,
    backup_result,
    feature_set,
    password_link,
    purge,
    purge_result,
    request_count,
    similarity,
    thumbnail,
)
from ar_targets.models.noun import Expiring, SoftDeletable, children, nouns
from ar_targets.models.request_count import Key
from ar_targets.models.user import User
from ar_targets.scripts import purge as purge_script

from ..conftest import INI
from ..pictures import CHINA
from ..tables import attempt, audit, idempotency_key

OPERATIONS = INI.parent / "docs/operations.md"
LONG_AGO = timedelta(days=4000)
# Made by Alembic.
VERSION = "alembic_version"


def documented():
    """Of each table: what each run removes, what one with DAYS does, and what bounds the rest."""
    text = OPERATIONS.read_text()
    section = text[text.index("### What the cleanup leaves") :].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$", section, re.MULTILINE)
    return {name: tuple(cell.strip() for cell in cells) for name, *cells in rows}


def emptied_by_each():
    now = clock.now()
    return {one.noun.__tablename__ for one in (*purge.useless(now), purge.old_entries(now))}


def emptied_with_the_deleted():
    """What can be deleted, what belongs to it, and what the database removes along."""

    def below(noun):
        return {noun.__tablename__}.union(*map(below, children(noun)))

    found = set().union(*map(below, nouns(SoftDeletable)))
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.ondelete == "CASCADE" and key.column.table.name in found:
                found.add(table.name)
    return found


def test_each_table_is_documented():
    assert documented().keys() == {*Base.metadata.tables, VERSION}


@pytest.mark.parametrize("name", [*Base.metadata.tables, VERSION])
def test_what_is_documented_is_what_is_done(name):
    each, deleted, rest = documented()[name]
    assert bool(each) == (name in emptied_by_each())
    assert bool(deleted) == (name in emptied_with_the_deleted())
    # What stays has something that it grows with.
    assert rest


@pytest.fixture
def filled(stage, project, owner, administrator):
    """Rows in all tables, nothing of it old yet."""
    target, other, later = (
        stage.target(project),
        stage.target(project),
        clock.now() + timedelta(days=1),
    )
    stage.member(project, "edith", "editor")
    stage.app(project)
    with transaction_scope(stage.engine) as db:
        admin_session.create(db, owner.id, 1, later)
        assert password_link.create(db, owner.id, clock.now())
        feature_set.keep(db, other.id, project.id, "0" * 64, b"features")
        revision = feature_set.keep(db, target.id, project.id, "1" * 64, b"features")
        similarity.keep(db, target.id, project.id, revision, {other.id: 0.5})
        thumbnail.keep(db, target.id, "0" * 64, CHINA)
        request_count.add(db, {Key(clock.now(), 2, 3): 4})
        backup_result.store(db, "success", clock.now(), 1.0, 2)
        purge_result.add(db, {"old things": 1}, clock.now())
    unused = {"expires_at": later, "id": bytes(32)}
    with stage.engine.begin() as connection:
        connection.execute(insert(attempt).values(moments=b"", **unused))
        connection.execute(insert(idempotency_key).values(fingerprint=bytes(32), **unused))
    assert empty(stage) == set()
    return stage


def empty(stage):
    """The tables without rows."""
    return {table.name for table in Base.metadata.sorted_tables if not stage.rows(table)}


def test_a_run_when_all_is_old(filled, script):
    past = clock.now() - LONG_AGO
    with filled.engine.begin() as connection:
        for noun in nouns(Expiring):
            connection.execute(update(noun).values(expires_at=past))
        connection.execute(update(audit).values(at=past))
    assert script(purge_script.main).code == 0
    assert empty(filled) == {name for name, (each, _, _) in documented().items() if each}


def test_a_run_when_all_is_deleted(filled, script):
    for user in filled.rows(User.__table__):
        filled.delete(User, user["id"])
    assert script(purge_script.main).code == 0
    assert empty(filled) == set()
    assert script(purge_script.main, "--deleted-older-than", "0").code == 0
    assert empty(filled) == {name for name, (_, deleted, _) in documented().items() if deleted}
