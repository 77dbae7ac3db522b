"""No room: on the database's disk, on that of its binary log, and where temporary files are."""

import contextlib
import hashlib
import json
import time
from contextlib import ExitStack

import pytest

from ar_targets.development.database import PrivateDatabase

from ..actors import Stage
from ..client import check_error
from ..conftest import build, migrate, sweeper_of, with_driver
from ..invariants import broken
from ..pictures import CHINA, base64_of
from ..soak.machine import small_disk
from ..tables import target
from .test_server import JSON, needs_proc, running

MIB = 2**20
PICTURE = CHINA + bytes(MIB)
SMALL = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M")


@pytest.fixture
def disk(tmp_path):
    """Makes a file system of so many megabytes."""
    with ExitStack() as stack:

        def make(megabytes):
            try:
                return stack.enter_context(small_disk(tmp_path / "disk", megabytes))
            except OSError as refused:
                pytest.skip(f"a small disk takes the right to mount one: {refused}")

        yield make


@contextlib.contextmanager
def full(directory):
    """No byte is left meanwhile."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


@needs_proc
def test_temporary_files_on_a_full_disk(database_url, tmp_path, disk, project, write_token):
    """The metrics of all workers are mapped files: whoever cannot write there would die."""
    small = disk(8)
    environ = {"TMPDIR": str(small), "AR_TARGETS_IMAGE_MAX_BYTES": "10485760"}
    body = json.dumps({"image": base64_of(PICTURE)})
    with running(database_url, tmp_path, environ=environ) as server:
        workers = server.children
        with full(small):
            for method, path, sent, status in [
                ("GET", "/api/openapi.json", None, 200),
                ("GET", "/metrics", None, 200),
                ("GET", "/admin/login/", None, 200),
                ("GET", "/zoo", None, 404),
                ("POST", project.targets, body, 201),
                ("GET", project.targets, None, 200),
            ]:
                headers = write_token.headers | (JSON if sent else {})
                assert server.ask(method, path, sent, **headers)[0] == status, path
        assert server.children == workers


class Database:
    """A server whose directory, or the binary log alone, is on a small disk."""

    def __init__(self, directory, *options):
        self.server = PrivateDatabase(directory, durable=False, options=(*SMALL, *options))

    def __enter__(self):
        self.server.start()
        self.server.create_database("full")
        self.url = with_driver(self.server.url("full"))
        migrate(self.url)
        self.app = build(self.url, user_change_rate="off", database_timeout=3)
        stage = Stage(self.app.registry)
        self.project = stage.project(stage.user("olga"), "Zoo")
        self.token = stage.app(self.project)
        self.stage = stage
        return self

    def __exit__(self, *_):
        self.app.registry.engine.dispose()
        self.app.registry.read_engine.dispose()
        self.server.stop()

    def upload(self):
        return self.app.call("POST", self.project.targets, PICTURE, who=self.token, status="*")


@pytest.mark.soak
def test_a_binary_log_on_a_full_disk(tmp_path, disk):
    """MariaDB lets commits wait then, and looks for room once a minute; reads go on.

    It writes all that has waited, so there must be room for that.
    """
    small = disk(100)
    with Database(tmp_path / "database", f"--log-bin={small}/binlog", "--server-id=1") as database:
        assert database.upload().status_int == 201
        with full(small):
            refused = [database.upload() for _ in range(3)]
            for answer in refused:
                assert answer.status_int == 503
                assert int(answer.headers["Retry-After"]) > 0
                check_error(answer.json)
            database.app.get("/health/ready", status=200)
            database.app.call("GET", database.project.targets, who=database.token, status=200)
        begun = time.monotonic()
        while database.upload().status_int != 201:
            assert time.monotonic() - begun < 180
            time.sleep(10)
        print(f"well again {time.monotonic() - begun:.0f} s after there was room")
        engine = sweeper_of(database.url)
        assert broken(engine) == []
        engine.dispose()
        # A commit that was waiting has been done meanwhile: a 503 tells that it may be.
        found = database.stage.rows(target)
        print(f"{len(found)} targets are there, 2 of which were acknowledged")
        assert len(found) >= 2
        assert all(hashlib.sha256(row["image"]).hexdigest() == row["sha256"] for row in found)
