"""``Idempotency-Key``: a creation that is sent again makes nothing twice."""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from ar_targets import clock
from ar_targets.db import engine
from ar_targets.db.session import transaction_scope
from ar_targets.models import purge
from ar_targets.models.idempotency_key import IdempotencyKey

from .. import tables
from ..actors import PASSWORD, Actor
from ..client import Client, at_once, faults
from ..pictures import CHINA, FLOWER, base64_of

KEY = "6f1a0f2e-8e0a-4f5e-9d0b-0f4b1c7f2a11"
OTHER_KEY = "another-key"
KEYS = tables.idempotency_key


@pytest.fixture
def creations(owner, project, stranger, write_token):
    """What is created with a key: the table, and how to ask for it."""
    return {
        "project": (tables.project, owner, "/api/project", {"name": "Park"}),
        "token": (tables.token, owner, project.tokens, {"ttl": 60}),
        "member": (tables.member, owner, project.members, {"login": "stefan", "role": "viewer"}),
        "target": (tables.target, write_token, project.targets, {"image": base64_of(CHINA)}),
    }


@pytest.mark.parametrize("noun", ["project", "token", "member", "target"])
def test_the_first_answer_again(app, stage, creations, noun):
    table, who, path, body = creations[noun]
    before, entries = len(stage.rows(table)), len(stage.rows(tables.audit))
    first = app.call("POST", path, body, who=who, status=201, idempotency_key=KEY)
    assert "Idempotency-Replayed" not in first.headers
    again = app.call("POST", path + "/", body, who=who, status=201, idempotency_key=KEY)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body == first.body
    for name in ("Location", "ETag", "Cache-Control", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert len(stage.rows(table)) == before + 1
    assert len(stage.rows(tables.audit)) == entries + 1


def test_it_is_the_first_even_if_it_has_changed_since(app, owner):
    first = app.call("POST", "/api/project", {"name": "Zoo"}, who=owner, idempotency_key=KEY)
    path = f"/api/project/{first.json['id']}"
    app.call("PATCH", path, {"name": "Park"}, who=owner)
    again = app.call("POST", "/api/project", {"name": "Zoo"}, who=owner, idempotency_key=KEY)
    assert again.json == first.json
    app.call("DELETE", path, who=owner)
    again = app.call("POST", "/api/project", {"name": "Zoo"}, who=owner, idempotency_key=KEY)
    assert again.json == first.json


def test_a_token_in_a_kept_answer_cannot_be_read_in_the_database(app, stage, owner, project):
    made = app.call("POST", project.tokens, {}, who=owner, status=201, idempotency_key=KEY)
    [row] = stage.rows(KEYS)
    assert made.json["token"].encode() not in row["answer"]
    assert KEY.encode() not in row["id"]


def test_without_a_key_each_creates(app, stage, owner, project):
    for _ in range(2):
        app.call("POST", project.tokens, {}, who=owner, status=201)
    assert len(stage.rows(tables.token)) == 2
    assert stage.rows(KEYS) == []


def test_another_key_creates(app, stage, owner, project):
    for key in (KEY, OTHER_KEY):
        made = app.call("POST", project.tokens, {}, who=owner, status=201, idempotency_key=key)
        assert "Idempotency-Replayed" not in made.headers
    assert len(stage.rows(tables.token)) == 2


def test_a_key_is_its_callers_and_its_paths(app, stage, owner, stranger, project):
    """Another caller, or another path, with the same key is another request."""
    other = stage.project(owner, "Museum")
    calls = [
        (owner, "/api/project", {"name": "a"}),
        (stranger, "/api/project", {"name": "b"}),
        (owner, project.tokens, {}),
        (owner, other.tokens, {}),
    ]
    for who, path, body in calls:
        made = app.call("POST", path, body, who=who, status=201, idempotency_key=KEY)
        assert "Idempotency-Replayed" not in made.headers
    app.call("POST", "/api/project", {"name": "a"}, who=stranger, status=422, idempotency_key=KEY)


def test_another_body_is_422(app, stage, owner, project):
    app.call("POST", "/api/project", {"name": "Park"}, who=owner, status=201, idempotency_key=KEY)
    answer = app.call(
        "POST", "/api/project", {"name": "park"}, who=owner, status=422, idempotency_key=KEY
    )
    assert faults(answer) == {"Idempotency-Key": "header"}
    # Before the 409 of a name that is taken; and the key is as it was.
    app.call("POST", "/api/project", {"name": "Zoo"}, who=owner, status=422, idempotency_key=KEY)
    app.call("POST", "/api/project", {"name": "Park"}, who=owner, status=201, idempotency_key=KEY)


def test_of_a_jpeg_the_query_and_the_type_are_part_of_it(app, stage, project, write_token):
    def send(name, status, **headers):
        path = f"{project.targets}?name={name}"
        return app.call(
            "POST", path, CHINA, who=write_token, status=status, idempotency_key=KEY, **headers
        )

    first = send("gate", 201)
    assert send("gate", 201).json == first.json
    send("tower", 422)
    send("gate", 422, content_type="image/JPEG")
    assert len(stage.rows(tables.target)) == 1


@pytest.mark.parametrize("body", [{"name": ""}, {"name": 7}, {"nmae": "x"}, {}])
def test_what_is_refused_leaves_the_key_free(app, stage, owner, body):
    app.call("POST", "/api/project", body, who=owner, status=400, idempotency_key=KEY)
    assert stage.rows(KEYS) == []
    app.call("POST", "/api/project", {"name": "x"}, who=owner, status=201, idempotency_key=KEY)


def test_a_conflict_is_tried_anew(app, stage, owner, project):
    body = {"name": "zoo"}
    app.call("POST", "/api/project", body, who=owner, status=409, idempotency_key=KEY)
    app.call("DELETE", project.path, who=owner)
    made = app.call("POST", "/api/project", body, who=owner, status=201, idempotency_key=KEY)
    assert "Idempotency-Replayed" not in made.headers


def test_credentials_come_first(app, stage, owner, stranger, project):
    app.call("POST", project.tokens, {}, who=owner, status=201, idempotency_key=KEY)
    app.call("POST", project.tokens, {}, status=401, idempotency_key=KEY)
    app.call("POST", project.tokens, {}, who=stranger, status=403, idempotency_key=KEY)
    app.call("DELETE", project.path, who=owner)
    app.call("POST", project.tokens, {}, who=owner, status=404, idempotency_key=KEY)


def test_a_role_that_was_lowered_since_is_403(app, stage, owner, stranger, project):
    app.call("POST", project.members, {"login": "stefan", "role": "editor"}, who=owner, status=201)
    body = {"access": "write"}
    app.call("POST", project.tokens, body, who=stranger, status=201, idempotency_key=KEY)
    app.call("PATCH", f"{project.members}/{stranger.id}", {"role": "viewer"}, who=owner)
    app.call("POST", project.tokens, body, who=stranger, status=403, idempotency_key=KEY)


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "caf\xe9", "tab\there"])
def test_a_key_that_is_none(app, stage, owner, key):
    answer = app.call(
        "POST", "/api/project", {"name": "x"}, who=owner, status=400, idempotency_key=key
    )
    assert faults(answer) == {"Idempotency-Key": "header"}
    assert stage.rows(tables.project) == []


def test_the_longest_key(app, owner):
    for replayed in (None, "true"):
        made = app.call(
            "POST", "/api/project", {"name": "x"}, who=owner, status=201, idempotency_key="~" * 255
        )
        assert made.headers.get("Idempotency-Replayed") == replayed


def test_elsewhere_it_is_ignored(app, owner, project):
    for _ in range(2):
        for method, path, body, status in (
            ("PATCH", project.path, {"name": "Zoo"}, 200),
            ("GET", project.path, None, 200),
            ("POST", f"{project.path}/restore", None, 200),
        ):
            answer = app.call(
                method, path, body, who=owner, status=status, idempotency_key="two words"
            )
            assert "Idempotency-Replayed" not in answer.headers


def test_after_a_day_it_is_a_new_key(app, stage, sweeper, owner, project):
    for number in (1, 2):
        made = app.call("POST", project.tokens, {}, who=owner, status=201, idempotency_key=KEY)
        assert "Idempotency-Replayed" not in made.headers
        assert len(stage.rows(tables.token)) == number
        [row] = stage.rows(KEYS)
        assert timedelta(hours=23.9) < row["expires_at"] - clock.now() <= timedelta(hours=24)
        with sweeper.begin() as connection:
            connection.execute(update(KEYS).values(expires_at=clock.now()))
    # The purge removes it.
    scope = functools.partial(transaction_scope, stage.engine)
    [removal] = [one for one in purge.useless(clock.now()) if one.noun is IdempotencyKey]
    assert list(removal.remove(scope, 10)) == [1]
    assert stage.rows(KEYS) == []


def test_many_at_once_create_one(app, stage, owner):
    def create(own):
        return own.call(
            "POST", "/api/project", {"name": "Park"}, who=owner, status="*", idempotency_key=KEY
        )

    assert at_once(app, 12 * [create]) == 12 * [201]
    assert len(stage.rows(tables.project)) == 1


def test_the_first_still_at_work(make_app, monkeypatch, stage, owner, project, write_token):
    """It holds its key's row; here because somebody else has locked the project that it needs."""
    monkeypatch.setattr(engine, "LOCK_WAIT_SECONDS", 1)
    hasty = make_app()
    monkeypatch.setattr(engine, "LOCK_WAIT_SECONDS", 8)
    patient = make_app()
    body = {"image": base64_of(FLOWER)}

    def create(own, status):
        return own.call(
            "POST", project.targets, body, who=write_token, status=status, idempotency_key=KEY
        )

    with stage.engine.connect() as other, ThreadPoolExecutor(1) as threads:
        row = tables.project.select().where(tables.project.c.id == project.id)
        other.execute(row.with_for_update()).all()
        first = threads.submit(create, Client(patient.app), 201)
        held = threading.Event()
        while not holds_key(stage):
            assert not held.wait(0.02)
            assert not first.done()
        answer = create(hasty, 409)
        assert faults(answer) == {"Idempotency-Key": "header"}
        assert int(answer.headers["Retry-After"]) > 0
        other.rollback()
        made = first.result()
    again = create(hasty, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == made.json
    assert len(stage.rows(tables.target)) == 1


def holds_key(stage):
    """Whether a transaction has inserted a key and not committed it."""
    with stage.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        return bool(connection.exec_driver_sql("SELECT COUNT(*) FROM idempotency_key").scalar())


def test_a_key_that_was_rotated_away_does_not_create_again(make_app, stage, owner, project):
    old, new = make_app(jwt_keys="o" * 40), make_app(jwt_keys="n" * 40)
    both = make_app(jwt_keys=f"{'n' * 40} {'o' * 40}")
    who = {name: Actor(log_in(app)) for name, app in (("old", old), ("new", new))}
    made = old.call("POST", project.tokens, {}, who=who["old"], status=201, idempotency_key=KEY)
    again = both.call("POST", project.tokens, {}, who=who["new"], status=201, idempotency_key=KEY)
    assert again.json == made.json
    refused = new.call("POST", project.tokens, {}, who=who["new"], status=409, idempotency_key=KEY)
    assert faults(refused) == {"Idempotency-Key": "header"}
    assert len(stage.rows(tables.token)) == 1


def log_in(app):
    return app.call("POST", "/api/login", {"login": "olga", "password": PASSWORD}).json["token"]
