"""The check itself: a loss that it does not notice would make the experiments worth nothing."""

import dataclasses
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from ..actors import Stage
from ..client import Client
from ..pictures import CHINA
from .check import Ledger, is_sound, wrong_order
from .history import Entry, things
from .shared import Shared


@pytest.fixture
def engine(stage: Stage) -> Engine:
    return stage.engine


@pytest.fixture
def told(app: Client, stage: Stage) -> Iterator[list[Entry]]:
    """What a client was told of a user, a project, a token and a target that are there."""
    olga = stage.user("olga")
    zoo = stage.project(olga, "Zoo")
    made = stage.target(zoo, CHINA, "gate")
    [token] = [stage.app(zoo)]
    with stage.engine.begin() as connection:
        connection.execute(text("UPDATE token SET description = 'key'"))
    checksum = app.get(made.path, headers=token.headers).json["sha256"]

    def create(kind, mark, row, parent=None, value=None):
        return Entry("create", kind, mark, 201, 1, 2, value, row, parent)

    return [
        create("user", "olga", olga.id),
        create("project", "Zoo", zoo.id, "olga", "Zoo"),
        create("token", "key", token.id, "Zoo", 600),
        create("target", "gate", made.id, "Zoo", ("gate", checksum)),
    ]


def losses(entries: list[Entry], engine: Engine) -> list[str]:
    return list(Ledger(entries, set()).wrong_rows(engine))


def later(entry: Entry, act: str, status: int | None, value: object = None) -> Entry:
    return dataclasses.replace(entry, act=act, status=status, value=value, sent=3, heard=4)


def test_what_is_as_it_was_told(told: list[Entry], engine: Engine) -> None:
    assert losses(told, engine) == []


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DELETE FROM target", "there is no row of it"),
        ("DELETE FROM token", "there is no row of it"),
        ("UPDATE target SET image = CONCAT('x', image)", "not what its checksum says"),
        ("UPDATE target SET description = 'other'", "none of"),
        ("UPDATE project SET name = 'other'", "none of"),
        ("UPDATE token SET ttl = 1", "none of"),
        ("UPDATE project SET revision = 2", "1 changes were made"),
        ("UPDATE project SET deleted_at = NOW(6)", "nobody asked for that"),
        ("UPDATE user SET deleted_at = NOW(6)", "a live project of a deleted user"),
        ("UPDATE token SET revoked_at = NOW(6)", "nobody asked for that"),
        (
            "DELETE FROM analysis; UPDATE target SET id = id + 1, description = 'other'",
            "nobody asked for it",
        ),
    ],
)
def test_a_row_that_is_not(told: list[Entry], engine: Engine, sql: str, what: str) -> None:
    with engine.begin() as connection:
        for statement in sql.split("; "):
            connection.execute(text(statement))
    assert what in " ".join(losses(told, engine))


@pytest.mark.parametrize("number", range(4))
def test_what_was_refused_and_is_there(told: list[Entry], engine: Engine, number: int) -> None:
    told[number] = dataclasses.replace(told[number], status=409)
    assert "its creation was refused" in " ".join(losses(told, engine))


@pytest.mark.parametrize("status", [None, 503])
def test_what_is_in_doubt_may_be_there_or_not(
    told: list[Entry], engine: Engine, status: int | None
) -> None:
    told[3] = dataclasses.replace(told[3], status=status, row=None)
    assert losses(told, engine) == []
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM target"))
    assert losses(told, engine) == []


def test_an_acknowledged_deletion_that_is_undone(told: list[Entry], engine: Engine) -> None:
    deleted = later(told[3], "delete", 204)
    assert "its deletion was acknowledged" in " ".join(losses([*told, deleted], engine))


def test_an_acknowledged_change_that_is_undone(told: list[Entry], engine: Engine) -> None:
    changed = later(told[1], "change", 200, "Park")
    assert "it has 'Zoo', none of ['Park']" in " ".join(losses([*told, changed], engine))
    doubtful = later(told[1], "change", None, "Park")
    assert losses([*told, doubtful], engine) == []


def test_a_write_that_was_done_twice(told: list[Entry], engine: Engine) -> None:
    twin = (
        "INSERT INTO target (project_id, description, width, height, size, sha256, image, "
        "created_at, updated_at) SELECT project_id, description, width, height, size, sha256, "
        "image, created_at, updated_at FROM target"
    )
    with engine.begin() as connection:
        connection.execute(text(twin))
    assert "it was created twice" in " ".join(losses(told, engine))


def test_a_token_that_works_after_its_end(told: list[Entry]) -> None:
    upload = dataclasses.replace(told[3], mark="late", caller="key", sent=5, heard=6)
    assert list(wrong_order([*told, upload])) == []
    for ended in (told[0], told[1], told[2]):
        [wrong] = wrong_order([*told, later(ended, "delete", 204), upload])
        assert "by key, which had ended" in wrong
    before = dataclasses.replace(upload, sent=3.5)
    assert list(wrong_order([*told, later(told[2], "delete", 204), before])) == []


def test_doubts_end_with_the_next_certain_change(told: list[Entry]) -> None:
    doubtful = later(told[1], "change", 503, "Park")
    certain = dataclasses.replace(later(told[1], "change", 200, "Garden"), sent=5)
    assert things([*told, doubtful])["Zoo"].values == ["Zoo", "Park"]
    assert things([*told, doubtful, certain])["Zoo"].values == ["Garden"]


def test_two_holders_of_one_name_and_a_number_taken_twice() -> None:
    shared = Shared()
    shared.held("rival-1", 1, 3)
    shared.held("rival-1", 4, 5)
    shared.counted(1, 200)
    shared.counted(2, None)
    assert shared.wrong(1) == shared.wrong(2) == []
    assert shared.wrong(3)
    shared.held("rival-1", 2, 3)
    shared.counted(1, 200)
    assert len(shared.wrong(2)) == 2


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        ("OK", True),
        ("Corrupt", False),
        ("InnoDB: Index 'uq_user_live_login_key' contains 3 entries, should be 4.", False),
        ("InnoDB: Clustered index record not found for index `x`: (info_bits=32, 2 fields)", True),
        ("InnoDB: Clustered index record not found for index `x`: (info_bits=0, 2 fields)", False),
    ],
)
def test_what_the_database_says_of_a_table(line: str, sound: bool) -> None:
    assert is_sound(line) is sound
