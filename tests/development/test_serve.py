"""``ar_targets_serve``: its parts, and the whole of it on a copy of development.ini."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pymysql
import pytest

from ar_targets.address import Address, addresses
from ar_targets.development import process, serve
from ar_targets.development.database import PrivateDatabase

from ..ports import free_port

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("ar_targets_serve")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings from the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("AR_TARGETS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    """A copy of development.ini which listens on a free port."""
    text = (ROOT / "development.ini").read_text()
    text = re.sub(r"(?m)^listen = .*$", f"listen = 127.0.0.1:{free_port()}", text)
    path = tmp_path / "development.ini"
    path.write_text(text)
    return path


def with_settings(ini: Path, **settings: str) -> None:
    lines = [f"ar_targets.{name} = {value}" for name, value in settings.items()]
    text = ini.read_text().replace("[server:main]", "\n".join([*lines, "[server:main]"]))
    ini.write_text(text)


class TestKey:
    def test_it_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "var" / "jwt.key"
        key = serve.key(path)
        assert len(key) >= 64
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert serve.key(path) == key

    def test_two_are_not_the_same(self, tmp_path: Path) -> None:
        assert serve.key(tmp_path / "one") != serve.key(tmp_path / "two")

    def test_an_empty_file_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "jwt.key").touch()
        with pytest.raises(serve.ServeError, match="is empty"):
            serve.key(tmp_path / "jwt.key")


@pytest.mark.parametrize(
    ("environment", "section", "expected"),
    [
        ({}, {}, False),
        ({"AR_TARGETS_JWT_KEYS": ""}, {"ar_targets.jwt_keys": ""}, False),
        ({"AR_TARGETS_JWT_KEYS": "key"}, {}, True),
        ({"AR_TARGETS_JWT_KEYS_FILE": "/run/secrets/key"}, {}, True),
        ({}, {"ar_targets.jwt_keys": "key"}, True),
    ],
)
def test_where_a_setting_may_be_set(
    environment: dict[str, str],
    section: dict[str, str],
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert serve.is_set("jwt_keys", section) is expected


class TestAddress:
    @pytest.mark.parametrize(
        ("section", "urls"),
        [
            ({"listen": "127.0.0.1:6543"}, ["http://127.0.0.1:6543"]),
            ({"listen": "*:80 [::1]:81"}, ["http://localhost:80", "http://[::1]:81"]),
            ({"listen": "0.0.0.0:6543"}, ["http://localhost:6543"]),
            ({"listen": "[::]:6543"}, ["http://localhost:6543"]),
            ({"host": "example.org", "port": "80"}, ["http://example.org:80"]),
            ({"port": "6543"}, ["http://localhost:6543"]),
            ({}, ["http://localhost:8080"]),
        ],
    )
    def test_its_url(self, section: dict[str, str], urls: list[str]) -> None:
        assert [address.url for address in addresses(section)] == urls

    @pytest.mark.parametrize("host", ["127.0.0.1", "*", "localhost"])
    def test_it_is_taken_while_another_listens(self, host: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = Address(host, other.getsockname()[1])
            assert address.is_taken()
        assert not address.is_taken()

    def test_an_unknown_host_is_left_for_the_server_to_report(self) -> None:
        assert not Address("host.invalid", 80).is_taken()


class TestRefusal:
    """Nothing is started or made, and one line says why."""

    @pytest.fixture(autouse=True)
    def nothing_is_made(self, tmp_path: Path) -> Iterator[None]:
        yield
        assert not (tmp_path / "var").exists()

    def test_a_taken_port(self, ini: Path, capfd: pytest.CaptureFixture[str]) -> None:
        port = listen_port(ini)
        with socket.create_server(("127.0.0.1", port)):
            assert serve.main([str(ini)]) == 1
        assert capfd.readouterr().err.startswith(f"Port {port} is taken")

    def test_a_missing_ini_file(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert serve.main([str(tmp_path / "other.ini")]) == 1
        assert "There is no file" in capfd.readouterr().err

    def test_a_malformed_ini_file(self, ini: Path, capfd: pytest.CaptureFixture[str]) -> None:
        ini.write_text("[app:main\n")
        assert serve.main([str(ini)]) == 1
        assert "cannot be read" in capfd.readouterr().err


def listen_port(ini: Path) -> int:
    return addresses(serve.settings(ini, "server:main"))[0].port


class TestProvision:
    """What the ini file sets is not provided; programs are recorded in place of being run."""

    @pytest.fixture
    def runs(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Mapping[str, str]]]:
        recorded: list[tuple[str, Mapping[str, str]]] = []

        def run(
            module: str, ini: Path, environment: Mapping[str, str], check: process.Check
        ) -> int:
            check()
            beside(module, ini, environment)
            return 0

        def beside(
            module: str, ini: Path, environment: Mapping[str, str]
        ) -> AbstractContextManager[None]:
            assert ini.exists()
            recorded.append((module, environment))
            return nullcontext()

        monkeypatch.setattr(serve, "run", run)
        monkeypatch.setattr(serve, "beside", beside)
        return recorded

    def test_what_the_ini_file_sets_is_respected(
        self, ini: Path, runs: list[tuple[str, Mapping[str, str]]]
    ) -> None:
        with_settings(
            ini,
            database_url="mysql+pymysql://me@host/mine",
            jwt_keys="k" * 64,
            vision_url="http://vision:6544",
            vision_key="v" * 64,
        )
        assert serve.main([str(ini)]) == 0
        assert [module for module, _ in runs] == [
            "ar_targets.scripts.initdb",
            "ar_targets.scripts.worker",
            "pyramid.scripts.pserve",
        ]
        assert not [name for _, made in runs for name in made if name.startswith("AR_TARGETS_")]
        assert not (ini.parent / "var").exists()

    def test_a_key_is_provided_in_the_directory_named(
        self, ini: Path, runs: list[tuple[str, Mapping[str, str]]], tmp_path: Path
    ) -> None:
        with_settings(ini, database_url="mysql+pymysql://me@host/mine")
        assert serve.main([str(ini), "--dir", str(tmp_path / "elsewhere")]) == 0
        key = (tmp_path / "elsewhere" / "jwt.key").read_text().strip()
        assert [made["AR_TARGETS_JWT_KEYS"] for _, made in runs] == [key] * 4

    def test_the_server_for_pictures_and_its_key(
        self, ini: Path, runs: list[tuple[str, Mapping[str, str]]], tmp_path: Path
    ) -> None:
        with_settings(ini, database_url="mysql+pymysql://me@host/mine", jwt_keys="k" * 64)
        assert serve.main([str(ini)]) == 0
        assert [module for module, _ in runs] == [
            "ar_targets.scripts.initdb",
            "ar_targets.scripts.vision",
            "ar_targets.scripts.worker",
            "pyramid.scripts.pserve",
        ]
        key = (tmp_path / "var" / "vision.key").read_text().strip()
        for _, made in runs:
            assert made["AR_TARGETS_VISION_KEY"] == key
            assert made["AR_TARGETS_VISION_URL"] == f"http://{made['AR_TARGETS_VISION_LISTEN']}"


def test_a_signal_makes_the_check_raise_and_is_then_let_go() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with serve.stop_on_signals() as check:
        check()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(serve.Stopped):
            check()
    assert signal.getsignal(signal.SIGTERM) is before


class TestWhole:
    """The command itself, with its database, migrations and web server."""

    def test_it_serves_until_sigterm_and_keeps_the_data(self, ini: Path, tmp_path: Path) -> None:
        with served(ini) as command:
            (vision,) = (line.split()[1] for line in first_lines(command) if "Vision:" in line)
            wait_for(f"http://127.0.0.1:{listen_port(ini)}/health/live", command)
            wait_for(f"{vision}/health/ready", command)
            # Itself, the database, the server for pictures, the worker, the web server.
            assert len(started(tmp_path)) >= 5
            command.send_signal(signal.SIGTERM)
            assert command.wait(20) == 0
        assert not started(tmp_path)
        with (
            PrivateDatabase(tmp_path / "var" / "database") as database,
            pymysql.connect(unix_socket=database.socket, database="ar_targets", user="root") as db,
            db.cursor() as cursor,
        ):
            assert cursor.execute("SELECT version_num FROM alembic_version") == 1

    @pytest.mark.parametrize(
        ("phase", "sign"),
        [
            ("Database:", signal.SIGINT),
            ("Key for the tokens:", signal.SIGHUP),
            ("Server:", signal.SIGTERM),
        ],
    )
    def test_a_signal_during_the_start_leaves_nothing_behind(
        self, ini: Path, tmp_path: Path, phase: str, sign: signal.Signals
    ) -> None:
        with served(ini) as command:
            assert command.stderr is not None
            assert any(line.startswith(phase) for line in command.stderr)
            time.sleep(0.1)
            command.send_signal(sign)
            assert command.wait(20) == 0
        assert not started(tmp_path)

    def test_its_code_is_that_of_the_program_that_failed(self, ini: Path, tmp_path: Path) -> None:
        with_settings(ini, no_such_setting="1")
        with served(ini) as command:
            assert command.wait(20) == 1
        assert not started(tmp_path)


@contextmanager
def served(ini: Path) -> Iterator[subprocess.Popen[str]]:
    """The running command, killed at the end if it is still there."""
    with subprocess.Popen([COMMAND, ini], stderr=subprocess.PIPE, text=True) as command:
        try:
            yield command
        finally:
            command.kill()


def wait_for(url: str, command: subprocess.Popen[str]) -> None:
    """Wait until the URL is answered with 200."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and command.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                assert answer.status == 200
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    command.kill()
    code, said = command.wait(), command.stderr and command.stderr.read()
    pytest.fail(f"no answer from {url}; exit code {code}: {said}")


def started(directory: Path) -> list[str]:
    """The processes that have to do with a directory: their commands name a file in it."""
    if Path("/proc").exists():
        pids = [entry.name for entry in Path("/proc").glob("[0-9]*")]
    else:
        pids = process.answer(["ps", "-A", "-o", "pid="]).stdout.split()
    commands = [process.command_line(int(pid)) for pid in pids]
    return [command for command in commands if f"{directory}/" in command]


class TestFirstMinute:
    """What somebody sees who starts it for the first time, and the commands beside it."""

    def test_the_first_start_makes_an_administrator_and_names_the_addresses(
        self, ini: Path, tmp_path: Path
    ) -> None:
        first = said_until_served(ini)
        made = re.search(r"Administrator: admin, password (\S+) \(it is shown only now\)", first)
        assert made is not None
        address = f"http://127.0.0.1:{listen_port(ini)}"
        assert f"Server: {address} (Ctrl-C stops it)" in first
        assert f"Docs:   {address}/api/docs" in first
        assert f"Panel:  {address}/admin/" in first
        assert made[1] not in "".join(
            path.read_text(errors="replace") for path in tmp_path.glob("var/*.*")
        )
        again = said_until_served(ini)
        assert "Administrator: as before; ar_targets_admin development.ini password" in again
        assert "(it is shown only now)" not in again

    def test_other_commands_find_its_database(self, ini: Path) -> None:
        with served(ini) as command:
            wait_for(f"http://127.0.0.1:{listen_port(ini)}/health/live", command)
            done = beside(ini, "ar_targets_admin", "create", "ada", said="correct horse battery\n")
            assert (done.returncode, done.stdout) == (0, "created administrator 'ada' (id 2)\n")
            assert beside(ini, "ar_targets_purge").returncode == 0
            command.send_signal(signal.SIGTERM)
            command.wait(20)
        done = beside(ini, "ar_targets_purge")
        assert done.returncode != 0
        assert "ar_targets.database_url: it is not set" in done.stderr


def first_lines(command: subprocess.Popen[str]) -> Iterator[str]:
    """What the command says up to the addresses."""
    assert command.stderr is not None
    for line in command.stderr:
        yield line
        if line.startswith("Panel:"):
            return


def said_until_served(ini: Path) -> str:
    """What the command says up to the addresses; then it is stopped."""
    with served(ini) as command:
        lines = [*first_lines(command)]
        command.send_signal(signal.SIGTERM)
        command.wait(20)
    return "".join(lines)


def beside(ini: Path, name: str, *arguments: str, said: str = "") -> subprocess.CompletedProcess:
    """Another command with the same ini file, which has ended."""
    command = [Path(sys.executable).with_name(name), ini, *arguments]
    return subprocess.run(command, input=said, capture_output=True, text=True, check=False)
