"""The private database server, on real servers: one for most tests, more where they must die."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import create_engine, make_url, text

from ar_targets.development import database, process, program
from ar_targets.development.database import DatabaseUnavailable, PrivateDatabase

OWNER = """
import sys, time
from pathlib import Path
from ar_targets.development.database import PrivateDatabase
with PrivateDatabase(Path(sys.argv[1]), durable=False) as database:
    database.create_database("kept")
    print(database.socket, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "database"


@pytest.fixture(scope="module")
def running(directory: Path) -> Iterator[PrivateDatabase]:
    with PrivateDatabase(directory, durable=False) as started:
        yield started


def databases(server: PrivateDatabase) -> set[str]:
    with pymysql.connect(unix_socket=server.socket, user="root") as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW DATABASES")
        return {row[0] for row in cursor.fetchall()}


def variable(server: PrivateDatabase, name: str) -> str:
    with pymysql.connect(unix_socket=server.socket, user="root") as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT @@global.{name}")
        row = cursor.fetchone()
        assert row is not None
        return str(row[0])


def is_alive(pid: int, directory: Path) -> bool:
    return process.has_argument(pid, f"--datadir={directory / 'data'}")


class TestRunning:
    def test_its_url_works_in_sqlalchemy(self, running: PrivateDatabase) -> None:
        running.create_database("ar_targets")
        engine = create_engine(running.url())
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT DATABASE()")) == "ar_targets"
        engine.dispose()

    def test_its_url_names_the_driver_the_database_and_the_socket(
        self, running: PrivateDatabase
    ) -> None:
        url = make_url(running.url("other"))
        assert url.drivername == "mysql+pymysql"
        assert (url.username, url.host, url.database) == ("root", "localhost", "other")
        assert dict(url.query) == {"unix_socket": running.socket}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("skip_networking", "1"),
            ("max_allowed_packet", "67108864"),
            ("character_set_server", "utf8mb4"),
            ("time_zone", "+00:00"),
            ("innodb_flush_log_at_trx_commit", "0"),
        ],
    )
    def test_its_settings(self, running: PrivateDatabase, name: str, value: str) -> None:
        assert variable(running, name) == value

    def test_temporary_tables_are_where_no_other_server_removes_them(
        self, running: PrivateDatabase
    ) -> None:
        assert variable(running, "tmpdir") == str(Path(running.socket).parent)

    def test_nobody_else_reaches_the_socket_or_the_data(
        self, running: PrivateDatabase, directory: Path
    ) -> None:
        for path in (Path(running.socket).parent, directory / "data"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            assert path.stat().st_uid == os.geteuid()

    def test_creating_a_database_twice_is_harmless(self, running: PrivateDatabase) -> None:
        running.create_database("twice")
        running.create_database("twice")
        assert "twice" in databases(running)

    @pytest.mark.parametrize("name", ["", "a`b", "a b", "ä"])
    def test_a_database_name_must_be_plain(self, running: PrivateDatabase, name: str) -> None:
        with pytest.raises(ValueError, match="not a database name"):
            running.create_database(name)

    def test_a_second_owner_is_refused_and_the_first_not_disturbed(
        self, running: PrivateDatabase, directory: Path
    ) -> None:
        with pytest.raises(DatabaseUnavailable, match=rf"already running \(pid {os.getpid()}\)"):
            PrivateDatabase(directory).start()
        assert databases(running)


def test_data_survive_a_restart_and_stop_leaves_nothing(tmp_path: Path) -> None:
    server = PrivateDatabase(tmp_path)
    server.start()
    server.create_database("kept")
    pid = int((tmp_path / "server.pid").read_text())
    socket_directory = Path(server.socket).parent
    assert is_alive(pid, tmp_path)
    assert variable(server, "innodb_flush_log_at_trx_commit") == "1"

    server.stop()
    server.stop()
    assert not is_alive(pid, tmp_path)
    assert not socket_directory.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"data", "kind", "lock", "server.log"}
    with pytest.raises(RuntimeError, match="not running"):
        server.url()

    with server:
        assert "kept" in databases(server)


def test_the_server_of_a_killed_owner_makes_way(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        socket = Path(owner.stdout.readline().strip())
        owner.kill()
    left_behind = int((tmp_path / "server.pid").read_text())
    assert is_alive(left_behind, tmp_path)

    with PrivateDatabase(tmp_path, durable=False) as server:
        assert not is_alive(left_behind, tmp_path)
        assert not socket.parent.exists()
        assert "kept" in databases(server)


def test_an_interrupted_initialisation_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    looks = 0

    def give_up() -> None:
        nonlocal looks
        looks += 1
        if looks > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PrivateDatabase(tmp_path, durable=False, check=give_up).start()
    assert list(tmp_path.glob("unfinished-*"))
    assert not (tmp_path / "data").exists()

    with PrivateDatabase(tmp_path, durable=False) as server:
        assert databases(server)
    assert not list(tmp_path.glob("unfinished-*"))


def test_a_server_that_dies_is_reported_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "OPTIONS", (*database.OPTIONS, "--no-such-option"))
    server = PrivateDatabase(tmp_path, durable=False)
    with pytest.raises(DatabaseUnavailable, match=r"server ended(.|\n)*no-such-option"):
        server.start()
    monkeypatch.undo()
    with server:
        assert databases(server)


@pytest.mark.parametrize("version", ["{other} 5.0.0", "{same} 999.1.0", ""])
def test_data_of_another_server_are_refused(tmp_path: Path, version: str) -> None:
    found = program.find()
    assert found is not None
    other = {"mariadb": "mysql", "mysql": "mariadb"}[found.kind]
    (tmp_path / "data").mkdir()
    (tmp_path / "kind").write_text(version.format(same=found.kind, other=other))

    with pytest.raises(DatabaseUnavailable, match=r"was made by .*, which .* cannot use"):
        PrivateDatabase(tmp_path).start()
    assert not list((tmp_path / "data").iterdir())


def test_a_process_that_only_has_the_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with process.running(["sleep", "600"], stop_seconds=5) as innocent:
        (tmp_path / "server.pid").write_text(str(innocent.pid))
        with pytest.raises(DatabaseUnavailable):  # for want of a kind
            PrivateDatabase(tmp_path).start()
        assert innocent.poll() is None


def test_a_path_too_long_for_a_socket_is_refused(
    directory: Path, running: PrivateDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    running.stop()
    try:
        with pytest.raises(DatabaseUnavailable, match="set TMPDIR"):
            PrivateDatabase(directory).start()
    finally:
        monkeypatch.undo()
        running.start()
    assert not list(long.iterdir())


class TestProgram:
    def test_without_one_the_message_names_the_ways_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(program, "DIRECTORIES", ())
        with pytest.raises(DatabaseUnavailable) as caught:
            PrivateDatabase(tmp_path / "database").start()
        message = str(caught.value)
        for way in ("Install", "AR_TARGETS_DATABASE_URL", "ar_targets.database_url", "docker"):
            assert way in message
        assert "\n" not in message
        assert not (tmp_path / "database").exists()

    @pytest.mark.parametrize(
        ("answer", "name"),
        [
            ("mysqld  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu", "mariadb 10.11.19"),
            ("/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))", "mysql 9.7.4"),
            ("mysqld  Ver 8.0.36-0ubuntu0.22.04.1 for Linux", "mysql 8.0.36"),
            ("something else", None),
        ],
    )
    def test_its_answer_tells_its_kind(self, tmp_path: Path, answer: str, name: str | None) -> None:
        path = script(tmp_path / "mysqld", f"echo '{answer}'")
        found = program.identify(path)
        assert (found and str(found)) == name

    def test_one_that_cannot_be_run_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "mysqld"
        path.write_bytes(b"\0")
        path.chmod(0o755)
        assert program.identify(path) is None

    def test_one_that_lacks_its_installer_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script(tmp_path / "mariadbd", "echo 'mariadbd  Ver 10.11.19-MariaDB'")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(program, "DIRECTORIES", ())
        with pytest.raises(DatabaseUnavailable, match="lacks its mariadb-install-db"):
            PrivateDatabase(tmp_path / "database").start()


class TestInstallation:
    """By an apt-get that only writes down how it was called."""

    @pytest.fixture
    def calls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "calls"
        path.touch()
        script(tmp_path / "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {path}')
        script(tmp_path / "sudo", f'echo sudo >> {path}; shift; exec "$@"')
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return path

    @pytest.mark.parametrize("uid", [0, 1000])
    def test_it_takes_the_packages_without_the_service(
        self,
        calls: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        uid: int,
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        assert program.install()

        lines = calls.read_text().splitlines()
        assert ("sudo" in lines) == (uid != 0)
        update, install = [line for line in lines if line != "sudo"]
        assert update == "noninteractive -qq update"
        assert install.startswith("noninteractive -qq install --yes --no-install-recommends")
        assert install.endswith("mariadb-server-core mariadb-client-core")
        assert re.fullmatch(r".*installing.*apt-get.*\n", capsys.readouterr().err)

    def test_nothing_is_done_where_sudo_would_ask(
        self, calls: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        script(calls.parent / "sudo", "exit 1")
        assert not program.install()
        assert not calls.read_text()

    def test_failure_is_told(self, calls: Path) -> None:
        script(calls.parent / "apt-get", "exit 100")
        assert not program.install()


@pytest.mark.parametrize("proc", ["/proc", "/nowhere"])
def test_a_process_is_known_by_a_whole_argument(proc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path(proc).exists() and shutil.which("ps") is None:
        pytest.skip("without /proc it takes ps")
    monkeypatch.setattr(process, "PROC", Path(proc))
    with process.running(["sleep", "600"], stop_seconds=5) as sleeper:
        assert process.has_argument(sleeper.pid, "600")
        assert not process.has_argument(sleeper.pid, "60")
    assert not process.has_argument(sleeper.pid, "600")


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path
