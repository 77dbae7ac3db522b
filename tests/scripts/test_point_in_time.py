"""Back to a moment: a backup, and the binary log from where the backup's dump ends."""

import contextlib
import hashlib
import os
import secrets
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pymysql
import pytest
from sqlalchemy import create_engine

from ar_targets.backup.manifest import manifest_of, read
from ar_targets.development.database import PrivateDatabase
from ar_targets.models import Base
from ar_targets.scripts import backup, initdb

from ..actors import Stage
from ..client import Client
from ..conftest import build, with_driver
from ..invariants import broken
from ..pictures import CHINA, FLOWER, drawn

pytestmark = pytest.mark.usefixtures("dump_tools")

MIB = 2**20
LARGE = CHINA + bytes(10 * MIB - len(CHINA))
# Whose rights end at the one database.
PLAIN = "mysql+pymysql://ann@localhost/ar_targets?unix_socket={}"


@contextlib.contextmanager
def database(directory, *options):
    with PrivateDatabase(directory, durable=False, options=options) as server:
        server.create_database("ar_targets")
        yield server


def told(server, statement):
    """The first row of an answer."""
    with (
        pymysql.connect(
            unix_socket=server.socket, user="root", database="ar_targets"
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return cursor.fetchall()


def content(server):
    """The rows of each table, images by their checksums."""
    return {
        table.name: sorted(
            [hashlib.sha256(one).digest() if isinstance(one, bytes) else one for one in row]
            for row in told(server, f"SELECT * FROM `{table.name}`")
        )
        for table in Base.metadata.sorted_tables
    }


class Writers:
    """Clients that write for a while, and remember what was acknowledged when."""

    def __init__(self, app, owner):
        self.app, self.owner = app, owner
        # Of each creation: when it was sent and answered, and the path that it made.
        self.created = []

    @contextlib.contextmanager
    def at_work(self, number=3):
        """Meanwhile."""
        enough = threading.Event()
        with ThreadPoolExecutor(number) as threads:
            working = [threads.submit(self._write, enough) for _ in range(number)]
            try:
                yield
            finally:
                enough.set()
        for one in working:
            one.result()

    def _write(self, enough):
        client = Client(self.app.app)
        while not enough.is_set():
            project = self._create(
                client, "/api/project", {"name": secrets.token_hex(8)}, **self.owner.headers
            )
            token = client.call("POST", f"{project}/jwt", {}, who=self.owner, status=201).json
            bearer = {"Authorization": f"Bearer {token['token']}"}
            for picture in (FLOWER, drawn()):
                path = self._create(client, f"{project}/imagetarget", picture, **bearer)
                client.call("PATCH", path, {"description": "changed"}, status=200, **bearer)
            client.call("DELETE", path, status=204, **bearer)

    def _create(self, client, path, body, **headers):
        sent = time.time()
        made = client.call("POST", path, body, status=201, **headers)
        place = made.headers["Location"].removeprefix("http://localhost")
        self.created.append((sent, time.time(), place))
        return place


def paths(server):
    """Of all projects and targets that are there, deleted or not."""
    projects = told(server, "SELECT id FROM project")
    targets = told(server, "SELECT project_id, id FROM target")
    return {f"/api/project/{one}" for (one,) in projects} | {
        f"/api/project/{one}/imagetarget/{other}" for one, other in targets
    }


def next_second():
    """The beginning of a second in which nothing has happened."""
    moment = int(time.time()) + 1
    time.sleep(moment - time.time())
    return moment


def utc(moment):
    """As mariadb-binlog takes it, where TZ is UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture
def script_for(script_on):
    """Runs a script on a database, which must succeed."""

    def run(url, main, *arguments):
        done = script_on(url, main, *arguments)
        assert done.code == 0, done.err
        return done

    return run


def replay(copy, logs, *until):
    """What the documents tell an operator to do."""
    with subprocess.Popen(
        ["mariadb-binlog", "--database=ar_targets", *until, *map(str, logs)],
        stdout=subprocess.PIPE,
        env=os.environ | {"TZ": "UTC"},
    ) as read_out:
        client = ["mariadb", f"--socket={copy.socket}", "--user=root", "--max-allowed-packet=1G"]
        subprocess.run([*client, "ar_targets"], stdin=read_out.stdout, check=True)
    # It has been stopped, and not broken off.
    assert read_out.returncode == 0


@pytest.mark.parametrize("images", ["FULL", pytest.param("NOBLOB", marks=pytest.mark.soak)])
def test_point_in_time(script_for, tmp_path, images):
    if shutil.which("mariadb-binlog") is None:
        pytest.skip("mariadb-binlog is not installed")
    kept, backups = tmp_path / "server", tmp_path / "backups"
    backups.mkdir()
    logging = ("--log-bin=binlog", "--server-id=1", f"--binlog-row-image={images}")
    with (
        database(kept, *logging) as server,
        database(tmp_path / "copy") as copy,
    ):
        for statement in (
            "CREATE USER ann@localhost",
            "GRANT ALL ON ar_targets.* TO ann@localhost",
        ):
            told(server, statement)
        url, copied = with_driver(server.url()), with_driver(copy.url())
        script_for(url, initdb.main)
        app = build(url, user_change_rate="off")
        stage = Stage(app.registry)
        owner = stage.user("olga")
        writers = Writers(app, owner)
        with writers.at_work():
            time.sleep(1)
            script_for(PLAIN.format(server.socket), backup.main, "create", str(backups))
            time.sleep(0.5)
        told(server, "FLUSH BINARY LOGS")
        zoo = stage.project(owner, "Zoo")
        large = stage.target(zoo, data=LARGE)
        size = log_size(kept)
        app.call("PATCH", large.path, {"description": "x"}, who=stage.app(zoo), status=200)
        # The row before and after, images included, unless the server is told otherwise.
        written = log_size(kept) - size
        assert 2 * len(LARGE) < written if images == "FULL" else written < MIB
        with writers.at_work():
            time.sleep(1)
        expected = content(server)
        ((_, position, *_),) = told(server, "SHOW MASTER STATUS")
        exact = next_second()
        with writers.at_work():
            time.sleep(1.2)
            during = int(time.time()) + 1
            time.sleep(2)
        told(server, "SET foreign_key_checks = 0")
        told(server, "DELETE FROM target")
        app.registry.engine.dispose()
        app.registry.read_engine.dispose()

        (dump,) = backups.glob("*.sql.gz")
        manifest = read(manifest_of(dump))
        logs = sorted((kept / "data").glob("binlog.[0-9]*"))
        logs = logs[[log.name for log in logs].index(manifest.binlog_file) :]
        assert len(logs) == 2
        start = f"--start-position={manifest.binlog_position}"
        for until in (f"--stop-position={position}", f"--stop-datetime={utc(exact)}"):
            script_for(copied, backup.main, "restore", str(dump), "--replace")
            assert content(copy) != expected
            replay(copy, logs, start, until)
            assert content(copy) == expected
        script_for(copied, backup.main, "restore", str(dump), "--replace")
        replay(copy, logs, start, f"--stop-datetime={utc(during)}")
        there = paths(copy) - {large.path, f"/api/project/{zoo.id}"}
        before = {path for _, answered, path in writers.created if answered < during}
        after = {path for sent, _, path in writers.created if sent >= during}
        assert before <= there
        assert not after & there
        assert len(after) > 1
        assert len(before) > len({path for sent, _, path in writers.created if sent < exact})
        engine = create_engine(copied)
        assert broken(engine) == []
        engine.dispose()


def log_size(directory):
    """Bytes of the binary logs."""
    return sum(log.stat().st_size for log in (directory / "data").glob("binlog.[0-9]*"))
