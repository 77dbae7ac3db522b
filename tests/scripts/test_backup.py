"""``ar_targets_backup``: out by the database's own tool, back into another database, compared."""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from ar_targets import clock
from ar_targets.backup import manifest as manifests
from ar_targets.backup import vendor
from ar_targets.backup.directory import BackupDirectory
from ar_targets.models import SCHEMA_REVISION
from ar_targets.scripts import backup

from ..client import Client
from ..conftest import INI, KEY, build
from ..invariants import broken
from ..pictures import CHINA, FLOWER, drawn
from ..soak.machine import small_disk
from ..tables import backup_result
from ..throwaway import on_server_of

MIB = 2**20
PASSWORD = "a#b'c\"d\\e \\n;="


pytestmark = pytest.mark.usefixtures("dump_tools")


@pytest.fixture
def moments(monkeypatch):
    """Backups that are made a day apart, since their names have the second."""
    first = clock.now().replace(microsecond=0)
    days = iter(range(100))
    monkeypatch.setattr(clock, "now", lambda: first + timedelta(days=next(days)))


@pytest.fixture
def made(script, project, stage, tmp_path):
    """A backup, and its manifest."""
    stage.target(project, data=FLOWER)
    done = script(backup.main, "create", str(tmp_path))
    assert (done.code, done.err) == (0, "")
    (found,) = tmp_path.glob("*.sql.gz")
    return found, json.loads(manifests.manifest_of(found).read_text())


def rows(url):
    """The number of rows of each table."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table: connection.scalar(text(f"SELECT COUNT(*) FROM `{table}`"))
            for table in inspect(connection).get_table_names()
        }
    engine.dispose()
    return found


def scratch_databases(url):
    engine = create_engine(url)
    found = [name for name in inspect(engine).get_schema_names() if name.endswith("_drill")]
    engine.dispose()
    return found


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_round_trip(
    script, monkeypatch, database_url, stage, owner, project, write_token, tmp_path
):
    pictures = [CHINA, FLOWER, CHINA + bytes(10 * MIB - len(CHINA))]
    kept = [stage.target(project, data=picture) for picture in pictures]
    before = rows(database_url)
    done = script(backup.main, "create", str(tmp_path))
    assert done.code == 0
    assert f"{sum(before.values())} rows of {len(before)} tables" in done.out
    with on_server_of(database_url) as empty:
        monkeypatch.setenv("AR_TARGETS_DATABASE_URL", empty)
        (dump,) = tmp_path.glob("*.sql.gz")
        done = script(backup.main, "restore", str(dump))
        assert done.code == 0, done.err
        assert f"the schema is at {SCHEMA_REVISION}" in done.out
        assert rows(empty) == before
        app = build(empty)
        for picture, target in zip(pictures, kept, strict=True):
            image = app.call("GET", target.image, who=write_token, status=200).body
            assert hashlib.sha256(image).digest() == hashlib.sha256(picture).digest()
        app.call("POST", "/api/project", {"name": "after"}, who=owner, status=201)
        app.call("POST", "/api/project", {"name": project.name}, who=owner, status=409)
        app.get("/health/ready", status=200)
        app.registry.engine.dispose()


def test_files(made, database_url):
    dump, manifest = made
    assert {path.name.partition(".")[2] for path in dump.parent.iterdir()} == {
        *("sql.gz", "json"),
        make_url(database_url).database + ".lock",
    }
    assert mode(dump) == mode(manifests.manifest_of(dump)) == 0o600
    # That it was made is stored behind it.
    assert manifest["rows"] == rows(database_url) | {"backup_result": 0}
    assert manifest["size"] == dump.stat().st_size
    assert manifest["sha256"] == hashlib.sha256(dump.read_bytes()).hexdigest()
    assert manifest["schema_revision"] == SCHEMA_REVISION
    longest = max(map(len, gzip.decompress(dump.read_bytes()).splitlines(keepends=True)))
    assert manifest["longest_statement"] == longest > 2 * len(FLOWER)
    if b"CHANGE MASTER" not in gzip.decompress(dump.read_bytes()):
        assert (manifest["binlog_file"], manifest["binlog_position"]) == (None, None)


def test_keys_come_along_on_request_alone(script, made, tmp_path):
    assert list(tmp_path.glob("*.keys")) == []
    assert KEY.encode() not in gzip.decompress(made[0].read_bytes())
    elsewhere = tmp_path / "with_keys"
    elsewhere.mkdir()
    assert script(backup.main, "create", str(elsewhere), "--keys").code == 0
    (keys,) = elsewhere.glob("*.keys")
    assert (keys.read_text(), mode(keys)) == (f"{KEY}\n", 0o600)


def test_results_are_stored(script, stage, made, tmp_path):
    (success,) = stage.rows(backup_result)
    assert (success["outcome"], success["size"]) == ("success", made[1]["size"])
    assert success["seconds"] > 0
    assert script(backup.main, "create", str(tmp_path / "missing")).code == 1
    kept, failure = sorted(stage.rows(backup_result), key=lambda row: row["finished_at"])
    assert kept == success
    assert failure["outcome"] == "failure"


def test_the_newest_are_kept(script, moments, app, tmp_path):
    (tmp_path / "other-20200101T000000Z.json").touch()
    for _ in range(3):
        assert script(backup.main, "create", str(tmp_path), "--keys").code == 0
    names = sorted(path.name for path in tmp_path.glob("ar_targets*"))
    assert len(names) == 9
    done = script(backup.main, "create", str(tmp_path), "--keep", "2")
    assert (done.code, done.out.count("removed")) == (0, 2)
    left = sorted(path.name for path in tmp_path.glob("ar_targets*"))
    # The last of the three, and the new one, which has no keys.
    assert left[:3] == names[6:]
    assert [name.partition(".")[2] for name in left[3:]] == ["json", "sql.gz"]
    assert (tmp_path / "other-20200101T000000Z.json").exists()


def test_a_failure_removes_nothing(script, moments, app, tmp_path, monkeypatch):
    for _ in range(2):
        assert script(backup.main, "create", str(tmp_path)).code == 0
    before = sorted(tmp_path.iterdir())
    program(tmp_path / "bin", monkeypatch, "echo half; echo 'it broke' >&2; exit 3")
    done = script(backup.main, "create", str(tmp_path), "--keep", "1")
    assert done.code == 1
    assert done.err.endswith(" failed: it broke\n")
    assert sorted(set(tmp_path.iterdir()) - {tmp_path / "bin"}) == before


def program(directory, monkeypatch, code):
    """Put a shell script in the place of the dump tools."""
    directory.mkdir()
    for name in vendor.DUMPERS.values():
        real = shutil.which(name)
        file = directory / name
        file.write_text(
            f'#!/bin/sh\nreal={real}\n[ "$1" = --version ] && exec "$real" --version\n{code}\n'
        )
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def test_no_password_on_the_command_line(script, database_url, app, tmp_path, monkeypatch):
    """It is in a file that nobody else reads, and that is gone afterwards."""
    told = tmp_path / "told"
    code = f'echo "$@" > {told}; stat -c %a "${{1#*=}}" >> {told}; exec "$real" "$@"'
    program(tmp_path / "bin", monkeypatch, code)
    with a_user(database_url) as url:
        monkeypatch.setenv("AR_TARGETS_DATABASE_URL", url)
        done = script(backup.main, "create", str(tmp_path))
        assert (done.code, done.err) == (0, "")
        arguments, permissions = told.read_text().splitlines()
        assert PASSWORD not in arguments
        assert permissions == "600"
        (file,) = re.findall(r"--defaults-file=(\S+)", arguments)
        assert not Path(file).exists()
        # Who may use this database alone may make no other.
        (dump,) = tmp_path.glob("*.sql.gz")
        done = script(backup.main, "drill", str(dump))
        assert done.code == 1
        assert "GRANT ALL ON" in done.err


class a_user:  # noqa: N801
    """A user of the database server, with a password that is hard to write."""

    def __init__(self, url):
        self.url = make_url(url)

    def __enter__(self):
        self.engine = create_engine(self.url)
        with self.engine.begin() as connection:
            name = self.url.database
            driver = connection.connection.driver_connection
            cursor = driver.cursor()
            for host in ("localhost", "127.0.0.1", "%"):
                cursor.execute(f"DROP USER IF EXISTS backup_test@'{host}'")
                escaped = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
                cursor.execute(f"CREATE USER backup_test@'{host}' IDENTIFIED BY '{escaped}'")
                cursor.execute(f"GRANT ALL ON `{name}`.* TO backup_test@'{host}'")
            cursor.close()
        return self.url.set(username="backup_test", password=PASSWORD).render_as_string(
            hide_password=False
        )

    def __exit__(self, *_):
        with self.engine.begin() as connection:
            cursor = connection.connection.driver_connection.cursor()
            for host in ("localhost", "127.0.0.1", "%"):
                cursor.execute(f"DROP USER backup_test@'{host}'")
            cursor.close()
        self.engine.dispose()


def test_the_tool_is_missing(script, stage, tmp_path, monkeypatch, dump_tools):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = script(backup.main, "create", str(tmp_path))
    name = Path(dump_tools[0]).name
    assert done.code == 1
    assert re.fullmatch(rf"the server is \w+: install its {name}\n", done.err)
    assert [row["outcome"] for row in stage.rows(backup_result)] == ["failure"]


def test_one_at_a_time(script, database_url, app, tmp_path):
    with BackupDirectory(tmp_path, make_url(database_url).database).locked():
        done = script(backup.main, "create", str(tmp_path))
    assert done.code == 1
    assert done.err == f"another backup to {tmp_path} is in progress\n"


def test_nothing_is_left_of_one_that_was_stopped(database_url, app, tmp_path, monkeypatch):
    started = tmp_path / "started"
    code = f'echo "$1" > {started}.new; mv {started}.new {started}; exec sleep 60'
    program(tmp_path / "bin", monkeypatch, code)
    command = [sys.executable, "-m", "ar_targets.scripts.backup", str(INI), "create", str(tmp_path)]
    settings = {"AR_TARGETS_DATABASE_URL": database_url, "AR_TARGETS_JWT_KEYS": KEY}
    process = subprocess.Popen(command, env=os.environ | settings)
    deadline = time.monotonic() + 60
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(tmp_path.glob("*.part"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert list(tmp_path.glob("ar_targets*")) == []
    assert not Path(started.read_text().strip().partition("=")[2]).exists()


def test_what_a_killed_one_left_is_removed(script, database_url, app, tmp_path):
    left = tmp_path / f"{make_url(database_url).database}-20200101T000000Z.sql.gz.part"
    left.touch()
    assert script(backup.main, "create", str(tmp_path)).code == 0
    assert not left.exists()


@pytest.mark.parametrize("action", ["restore", "drill"])
def test_a_damaged_backup_is_refused(script, made, action):
    dump, _ = made
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    done = script(backup.main, action, str(dump))
    assert (done.code, done.out) == (1, "")
    assert "damaged" in done.err


@pytest.mark.parametrize("content", [None, b"{}", b"\xff"])
def test_a_backup_without_its_manifest_is_refused(script, made, content):
    path = manifests.manifest_of(made[0])
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    done = script(backup.main, "restore", str(made[0]))
    assert done.code == 1
    assert "manifest" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_backup_of_a_newer_version_is_refused(script, made):
    rewrite(made, schema_revision="9999", version="9.0")
    done = script(backup.main, "drill", str(made[0]))
    assert done.code == 1
    assert "of version 9.0" in done.err


def rewrite(made, dump=None, **changes):
    """Change what the manifest says, and the dump in such a way that the checksum is right."""
    file, manifest = made
    if dump is not None:
        file.write_bytes(gzip.compress(dump))
        changes |= {"size": file.stat().st_size, "sha256": manifests.checksum(file)}
    manifests.manifest_of(file).write_text(json.dumps(manifest | changes))


def test_a_database_with_tables_is_left_alone_unless_it_may_be_replaced(
    script, made, stage, owner, database_url
):
    stage.project(owner, "After the backup")
    before = rows(database_url)
    done = script(backup.main, "restore", str(made[0]))
    assert done.code == 1
    assert "is not empty; --replace" in done.err
    assert rows(database_url) == before
    done = script(backup.main, "restore", str(made[0].parent), "--replace")
    assert done.code == 0, done.err
    assert rows(database_url) == made[1]["rows"]


def test_drill(script, made, database_url):
    before = rows(database_url)
    done = script(backup.main, "drill", str(made[0].parent))
    assert (done.code, done.err) == (0, "")
    for table, number in before.items():
        assert f"{table}: {made[1]['rows'][table]} rows\n" in done.out
        assert table == "backup_result" or number == made[1]["rows"][table]
    assert "restored and compared" in done.out
    assert rows(database_url) == before
    assert scratch_databases(database_url) == []


def test_a_scratch_database_that_exists_is_not_used(script, made, database_url):
    with on_server_of(database_url) as other:
        name = make_url(other).database
        done = script(backup.main, "drill", str(made[0]), "--scratch", name)
        assert done.code == 1
        assert f"there is a database {name!r}" in done.err


def another_image(sql):
    """One byte of the image, in its middle."""
    middle = sql.index(FLOWER.hex().upper().encode()[2000:2100])
    digit = b"0" if sql[middle : middle + 1] != b"0" else b"1"
    return sql[:middle] + digit + sql[middle + 1 :]


def no_owner(sql):
    return re.sub(rb"INSERT INTO `user` .*\n", b"", sql)


FAULTS = {
    "target has 1 rows, and 2 in the backup": lambda sql: (sql, {"target": 2}),
    "there is no table mural": lambda sql: (sql, {"mural": 0}),
    "1 images are not what their checksums say": lambda sql: (another_image(sql), {}),
    "1 rows of project refer to a user that is missing": lambda sql: (
        no_owner(sql),
        {"user": 0},
    ),
}


@pytest.mark.parametrize("expected", FAULTS)
def test_a_drill_finds(script, made, database_url, expected):
    sql = gzip.decompress(made[0].read_bytes())
    changed, counts = FAULTS[expected](sql)
    rewrite(made, changed, rows=made[1]["rows"] | counts)
    done = script(backup.main, "drill", str(made[0]))
    assert (done.code, done.out) == (1, expected + "\n")
    assert done.err.endswith("1 differences\n")
    assert scratch_databases(database_url) == []


def test_consistent_while_the_server_works(script, app, owner, tmp_path, database_url):
    """What is restored obeys all rules, whatever was written meanwhile."""
    enough = threading.Event()

    def write(number):
        client, written = Client(app.app), 0
        while not enough.is_set():
            name = f"{number} {written}"
            project = client.call("POST", "/api/project", {"name": name}, who=owner, status=201)
            path = f"/api/project/{project.json['id']}"
            token = client.call("POST", f"{path}/jwt", {}, who=owner, status=201)
            bearer = {"Authorization": f"Bearer {token.json['token']}"}
            for picture in (drawn(), drawn(size=(16, 16)), FLOWER):
                client.call("POST", f"{path}/imagetarget", picture, status=201, **bearer)
            client.call("PATCH", path, {"name": f"{name} renamed"}, who=owner, status=200)
            if written % 2:
                client.call("DELETE", path, who=owner, status=204)
            written += 1
        return written

    with ThreadPoolExecutor(2) as writers:
        working = [writers.submit(write, number) for number in range(2)]
        try:
            during = [rows(database_url)["audit"]]
            for _ in range(3):
                time.sleep(1)
                assert script(backup.main, "create", str(tmp_path)).code == 0
                during.append(rows(database_url)["audit"])
        finally:
            enough.set()
    assert all(one.result() > 1 for one in working)
    assert during == sorted(set(during))
    counts = []
    for dump in sorted(tmp_path.glob("*.sql.gz")):
        with on_server_of(database_url) as empty:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AR_TARGETS_DATABASE_URL", empty)
                assert script(backup.main, "restore", str(dump)).code == 0
            engine = create_engine(empty)
            assert broken(engine) == []
            engine.dispose()
            counts.append(rows(empty)["audit"])
    # Each is of a moment between the two counts.
    for lower, number, upper in zip(during[:-1], counts, during[1:], strict=True):
        assert lower < number <= upper


def test_a_disk_without_room(database_url, stage, project, tmp_path):
    """One line tells it, and nothing is left."""
    stage.target(project, data=CHINA)
    command = [sys.executable, "-m", "ar_targets.scripts.backup", INI, "create", tmp_path]
    # As far as the process is concerned, the disk is full after 100 KiB.
    limited = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *command]
    settings = {"AR_TARGETS_DATABASE_URL": database_url, "AR_TARGETS_JWT_KEYS": KEY}
    done = subprocess.run(
        limited, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"cannot write \S+\.sql\.gz: File too large\n", done.stderr)
    assert list(tmp_path.glob("ar_targets*")) == []


def test_a_disk_that_gets_full(script, stage, project, tmp_path):
    """It is told, older backups stay, and the next one works when there is room again."""
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(tmp_path / "disk", 4))
        except OSError as refused:
            pytest.skip(f"a small disk takes the right to mount one: {refused}")
        stage.target(project, data=FLOWER)
        assert script(backup.main, "create", str(disk)).code == 0
        (kept,) = disk.glob("*.sql.gz")
        before = set(disk.iterdir())
        stage.target(project, data=FLOWER + os.urandom(4 * MIB))
        # Backups are named by the second.
        time.sleep(1)
        done = script(backup.main, "create", str(disk), "--keep", "1")
        assert done.code == 1
        assert re.fullmatch(r"cannot write \S+\.sql\.gz: No space left on device\n", done.err)
        assert set(disk.iterdir()) == before
        results = sorted(stage.rows(backup_result), key=lambda row: row["finished_at"])
        assert [row["outcome"] for row in results] == ["success", "failure"]
        assert script(backup.main, "drill", str(kept)).code == 0
        # Not even a byte is left, for whatever name.
        with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        done = script(backup.main, "create", str(disk))
        assert (done.code, len(done.err.splitlines())) == (1, 1)
        (disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=32m", str(disk)], check=True)
        time.sleep(1)
        assert script(backup.main, "create", str(disk), "--keep", "1").code == 0
        assert len(list(disk.glob("*.sql.gz"))) == 1
        assert not kept.exists()


@pytest.mark.parametrize(
    ("query", "mariadb", "mysql"),
    [
        ("", ["skip-ssl-verify-server-cert"], ["ssl-mode=PREFERRED"]),
        (
            "?ssl_ca=/ca.pem",
            ['ssl-ca="/ca.pem"', "ssl", "ssl-verify-server-cert"],
            ['ssl-ca="/ca.pem"', "ssl-mode=VERIFY_IDENTITY"],
        ),
        (
            "?ssl_verify_cert=true",
            ["ssl", "ssl-verify-server-cert"],
            ["ssl-mode=VERIFY_IDENTITY"],
        ),
        (
            "?ssl_ca=/ca.pem&ssl_verify_cert=false",
            ['ssl-ca="/ca.pem"', "ssl", "skip-ssl-verify-server-cert"],
            ['ssl-ca="/ca.pem"', "ssl-mode=REQUIRED"],
        ),
    ],
)
def test_the_tools_use_tls_as_the_url_says(query, mariadb, mysql):
    url = make_url(f"mysql+pymysql://ann:secret@db:3307/ar{query}")
    common = ['user="ann"', 'password="secret"', 'host="db"', "port=3307", "protocol=tcp"]
    assert list(vendor.option_lines(url, vendor.MARIADB)) == common + mariadb
    assert list(vendor.option_lines(url, vendor.MYSQL)) == common + mysql
