"""A database that an earlier version has filled, and the tokens that it made: all as before."""

import contextlib
import hashlib
import json
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import create_engine, text

from alembic import command
from ar_targets.models import SCHEMA_REVISION
from ar_targets.scripts import admin, initdb, purge, restore

from ..actors import Actor
from ..conftest import INI, build, migrate
from ..invariants import broken
from ..panel import Panel
from ..scripts.test_schedule import eventually, running
from ..throwaway import on_server_of

DATA = Path(__file__).parents[1] / "data"
VERSION = "31cc4f5"
RECORD = json.loads((DATA / f"{VERSION}.json").read_text(encoding="utf-8"))


def load(url):
    """Execute the dump as the driver takes it, without looking for parameters in it."""
    statements = (DATA / f"{VERSION}.sql").read_text(encoding="utf-8").split(";\n")
    engine = create_engine(url)
    with contextlib.closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        for statement in filter(str.strip, statements):
            cursor.execute(statement)
        cursor.close()
        connection.commit()
    engine.dispose()


@pytest.fixture
def upgraded(database_url):
    """The URL of the database, migrated."""
    with on_server_of(database_url) as url:
        load(url)
        migrate(url)
        yield url


@pytest.fixture
def app(upgraded):
    made = build(upgraded, jwt_keys=RECORD["key"])
    yield made
    made.registry.engine.dispose()


@pytest.fixture
def panel(app):
    visitor = Panel(app.app)
    visitor.log_in("ada", RECORD["passwords"]["ada"])
    return visitor


def who(name):
    """Whoever had a token."""
    kind, _, login = name.partition(":")
    return Actor(RECORD["login_tokens"][login] if login else RECORD["project_tokens"][kind])


def test_all_rows_are_there(upgraded):
    engine = create_engine(upgraded)
    with engine.connect() as connection:
        for table, number in RECORD["rows"].items():
            found = connection.scalar(text(f"SELECT COUNT(*) FROM `{table}`"))
            assert (table, found) == (table, number)
    assert broken(engine) == []
    engine.dispose()


def test_passwords_log_in(app):
    for login, password in RECORD["passwords"].items():
        answer = app.post_json("/api/login", {"login": login, "password": password}, status=200)
        app.call("GET", "/api/project", who=Actor(answer.json["token"]), status=200)
    for login, password in RECORD["wrong_passwords"].items():
        app.post_json("/api/login", {"login": login, "password": password}, status=401)


# What version 1.1 adds to a target.
NEW_FIELDS = {"name": None, "physical_width": None, "active": True, "metadata": None}


def without_new_fields(value):
    """An answer as version 1 gave it; what is new must have its default."""
    if isinstance(value, list):
        return [without_new_fields(one) for one in value]
    if not isinstance(value, dict):
        return value
    of_target = "sha256" in value
    new = {name: value[name] for name in NEW_FIELDS if of_target and name in value}
    assert new.items() <= NEW_FIELDS.items()
    return {name: without_new_fields(one) for name, one in value.items() if name not in new}


def test_answers_are_the_same_word_for_word(app):
    for answer in RECORD["expected"]:
        found = app.call("GET", answer["path"], who=who(answer["token"]), status=200)
        assert without_new_fields(found.json) == answer["json"]
        assert found.headers.get("ETag") == answer["etag"]
        if answer["etag"]:
            tag = {"if_none_match": answer["etag"]}
            app.call("GET", answer["path"], who=who(answer["token"]), status=304, **tag)


def test_images_are_the_same_byte_for_byte(app):
    for image in RECORD["images"]:
        found = app.call("GET", image["path"], who=who(image["token"]), status=200)
        assert hashlib.sha256(found.body).hexdigest() == image["sha256"]
        assert len(found.body) == image["size"]
        assert found.headers["ETag"] == image["etag"]


def test_what_was_shut_is_shut(app):
    for what, (path, token) in RECORD["shut"].items():
        answer = app.call("GET", path, who=Actor(token), status="*")
        assert answer.status_int == 401, what
    path, reader = RECORD["read_only"]["path"], Actor(RECORD["read_only"]["token"])
    app.call("PATCH", path, {"description": "x"}, who=reader, status=403)


def test_what_could_be_written_can_be(app, upgraded):
    path, writer = RECORD["read_only"]["path"], who("write")
    seen = app.call("GET", path, who=writer, status=200)
    tag = {"if_match": seen.headers["ETag"]}
    changed = app.call("PATCH", path, {"description": "new"}, who=writer, status=200, **tag)
    assert changed.json["sha256"] == seen.json["sha256"]
    app.call("PATCH", path, {"description": "late"}, who=writer, status=412, **tag)
    # Names are as taken as they were, whatever their capitals.
    app.call("POST", "/api/project", {"name": "EMPTY"}, who=who("login:olga"), status=409)
    app.post_json("/api/user", {"login": "üNAL", "password": "eight ch"}, status=409)
    # Those of what is deleted are free.
    app.call("POST", "/api/project", {"name": "dora's"}, who=who("login:olga"), status=201)
    engine = create_engine(upgraded)
    assert broken(engine) == []
    engine.dispose()


@pytest.mark.parametrize("noun", RECORD["restored"])
def test_the_trash_gives_back(app, panel, upgraded, noun):
    lost = RECORD["restored"][noun]
    reader, image = Actor(lost["token"]), f"{lost['path']}/image"
    assert app.call("GET", image, who=reader, status="*").status_int in (401, 404)
    response = panel.act(f"trash/{noun}", "restore", lost["row"])
    assert "restored" in panel.said(response)
    found = app.call("GET", image, who=reader, status=200)
    assert hashlib.sha256(found.body).hexdigest() == lost["image_sha256"]
    engine = create_engine(upgraded)
    assert broken(engine) == []
    engine.dispose()


def test_the_panel_shows_it(panel):
    page = panel.get("/admin/", status=200)
    assert page.html.select_one(".whoami").get_text() == "ada"
    trash = ("trash/user", "trash/project", "trash/target")
    for path in ("user", "project", "target", "token", "audit", *trash):
        panel.get(f"/admin/{path}/", status=200)


class TestScripts:
    """Each script on the database of the earlier version."""

    @pytest.fixture
    def run(self, upgraded, script, monkeypatch):
        """Runs a script; its output."""
        monkeypatch.setenv("AR_TARGETS_DATABASE_URL", upgraded)
        monkeypatch.setenv("AR_TARGETS_JWT_KEYS", RECORD["key"])

        def run(main, *arguments, code=0, **options):
            done = script(main, *arguments, **options)
            assert done.code == code, done
            return done.out + done.err

        return run

    def test_back_and_up_again(self, upgraded, run):
        before = self.counts(upgraded)
        with self.connection(upgraded) as connection:
            config = Config(str(INI))
            config.attributes["connection"] = connection
            command.downgrade(config, "0005")
            connection.commit()
        assert self.counts(upgraded) == before
        assert f"the schema is at {SCHEMA_REVISION}\n" in run(initdb.main)
        assert self.counts(upgraded) == before

    def test_admin(self, app, run):
        assert "there is an administrator" in run(
            admin.main, "first", "eve", stdin="battery staple"
        )
        run(admin.main, "create", "eve", stdin="battery staple")
        Panel(app.app).log_in("eve", "battery staple")
        run(admin.main, "password", "olga", stdin="battery staple")
        app.post_json("/api/login", {"login": "OLGA", "password": "battery staple"}, status=200)
        app.call("GET", "/api/project", who=who("login:olga"), status=401)

    def test_restore(self, app, run):
        for noun, lost in RECORD["restored"].items():
            assert f"{lost['row']}\t" in run(restore.main, noun)
            run(restore.main, noun, str(lost["row"]))
            reader, image = Actor(lost["token"]), f"{lost['path']}/image"
            found = app.call("GET", image, who=reader, status=200)
            assert hashlib.sha256(found.body).hexdigest() == lost["image_sha256"]
            run(restore.main, noun, str(lost["row"]), code=1)

    def test_purge(self, app, upgraded, run):
        before = self.counts(upgraded)
        run(purge.main, "--dry-run", "--deleted-older-than", "0")
        assert self.counts(upgraded) == before
        run(purge.main, "--deleted-older-than", "0")
        after = self.counts(upgraded)
        # Of each kind, what was deleted, revoked or expired has gone, and nothing else.
        for noun, lost in RECORD["restored"].items():
            assert after[noun] < before[noun]
            run(restore.main, noun, str(lost["row"]), code=1)
        assert after["token"] < before["token"]
        test_images_are_the_same_byte_for_byte(app)

    def test_schedule(self, upgraded, tmp_path):
        before = self.counts(upgraded)["token"]
        with running(upgraded, tmp_path, AR_TARGETS_JWT_KEYS=RECORD["key"]):
            eventually(lambda: self.counts(upgraded)["token"] < before)

    @staticmethod
    @contextlib.contextmanager
    def connection(url):
        engine = create_engine(url)
        with engine.connect() as made:
            yield made
        engine.dispose()

    def counts(self, url):
        with self.connection(url) as connection:
            return {
                table: connection.scalar(text(f"SELECT COUNT(*) FROM `{table}`"))
                for table in RECORD["rows"]
            }
