"""The application on a real database, and the actors that call it.

The database is migrated once, as an operator does it. Each test commits for
real, since the contract is about what is committed, and its rows are deleted
behind it.
"""

import contextlib
import dataclasses
import importlib.util
import io
import logging
import math
import os
import pkgutil
import secrets
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from pymysql.constants import CLIENT
from sqlalchemy import Engine, create_engine, make_url

from ar_targets.admin import dashboard
from ar_targets.application import main
from ar_targets.models import Base
from ar_targets.scripts import initdb
from ar_targets.settings import ENV_PREFIX, PREFIX, Settings

from .actors import App, Project, Stage, Target, User
from .client import Client
from .panel import Panel
from .throwaway import on_private_server, on_server_of

if TYPE_CHECKING:
    from .vision_server.process import VisionServer

# The fixtures of a noun stand beside its tests.
pytest_plugins = [
    f"tests.nouns.{module.name}"
    for module in pkgutil.iter_modules([str(Path(__file__).with_name("nouns"))])
]

# Of the application under test: ``pymysql``, or ``mariadbconnector`` as in production.
DRIVER = os.environ.get("AR_TARGETS_TEST_DRIVER") or (
    "mariadbconnector" if importlib.util.find_spec("mariadb") else "pymysql"
)
VISION_KEY = "a-key-for-the-vision-server-of-the-tests"
KEY = "a-key-for-the-tests-which-is-long-enough"
INI = Path(__file__).parents[1] / "development.ini"
PRODUCTION = INI.with_name("production.ini")


def pytest_addoption(parser: pytest.Parser) -> None:
    """For the experiments of `make soak`."""
    parser.addoption("--seed", type=int, help="where random choices come from")
    parser.addoption("--faults", type=int, default=10, help="how many of each kind (default: 10)")
    parser.addoption("--hostile", type=int, default=200_000, help="bent ones (default: 200,000)")
    parser.addoption("--requests", type=int, default=72_000, help="how many (default: 72,000)")


def pytest_report_header() -> str:
    """Which driver is tested."""
    return f"driver: {DRIVER}"


def pytest_configure() -> None:
    """Take note of Ctrl-C and of a terminal's end, even where whoever started the tests did not.

    A shell without a terminal ignores SIGINT in what it runs in the background, nohup
    ignores SIGHUP, and all that is started from there inherits this: the tests of these
    signals would wait in vain.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes as cores; two at least, since the tests often wait for servers.

    Each has a database server of its own, and starts browsers: more than four are a crowd.
    """
    cores = os.cpu_count() if sys.platform == "darwin" else len(os.sched_getaffinity(0))
    return min(max(cores or 1, 2), 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: no process shall be at it when all others are done."""
    long = ("soak", "cluster", "browser")
    items.sort(key=lambda item: item.path.parent.name not in long)
    items.sort(key=lambda item: item.path.parent.name != "soak")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a report reach the process that prints it, whatever a test had logged.

    xdist sends reports as UTF-8, and gives up on half a character.
    """
    return encodable((yield))


def encodable(found: Any) -> Any:
    """The same without lone surrogates, which are shown as in Python's source."""
    match found:
        case str():
            return found.encode(errors="backslashreplace").decode()
        case dict():
            return {key: encodable(value) for key, value in found.items()}
        case list() | tuple():
            return type(found)(map(encodable, found))
        case _:
            return found


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Where random choices come from; it is printed, so that a run can be repeated."""
    chosen = request.config.getoption("--seed")
    return secrets.randbelow(10**6) if chosen is None else chosen


@pytest.fixture(scope="session", autouse=True)
def named_server() -> Iterator[str | None]:
    """The database that the environment names. Nothing else of the environment reaches the tests.

    Least of all the name of a database that somebody needs.
    """
    with pytest.MonkeyPatch.context() as patch:
        named = os.environ.get("AR_TARGETS_TEST_DATABASE_URL")
        named = named or os.environ.get("AR_TARGETS_DATABASE_URL")
        for field in dataclasses.fields(Settings):
            patch.delenv(ENV_PREFIX + field.name.upper(), raising=False)
            patch.delenv(f"{ENV_PREFIX}{field.name.upper()}_FILE", raising=False)
        yield named


@pytest.fixture(scope="session", autouse=True)
def counted_anew() -> Iterator[None]:
    """The dashboard counts for each page, however long that takes on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dashboard, "AT_ONCE", math.inf)
        yield


@pytest.fixture(scope="session")
def database_url(named_server: str | None) -> Iterator[str]:
    """An empty, migrated database."""
    with on_server_of(named_server) if named_server else on_private_server() as plain:
        url = with_driver(plain)
        migrate(url)
        yield url


def with_driver(url: str) -> str:
    """The URL with the driver that the tests are run with: production's, where it is installed."""
    return make_url(url).set(drivername=f"mysql+{DRIVER}").render_as_string(hide_password=False)


def migrate(url: str) -> None:
    """Run ``ar_targets_initdb``."""
    with pytest.MonkeyPatch.context() as patch, kept_logging():
        patch.setenv("AR_TARGETS_DATABASE_URL", url)
        patch.setenv("AR_TARGETS_JWT_KEYS", KEY)
        assert initdb.main([str(INI)]) == 0


@contextlib.contextmanager
def kept_logging() -> Iterator[None]:
    """Undo what a script does to logging, which is the whole process's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def build(url: str, **settings: object) -> Client:
    """The application with these settings: ours, or those of others by their full names."""
    defaults = {
        "database_url": url,
        "jwt_keys": KEY,
        "login_failures": "1000 per 1 minute",
        "login_failures_per_address": "1000 per 1 minute",
        # They are stored at the end of any request, which other tests count the statements of.
        "request_counts": "off",
    }
    given = defaults | settings
    return Client(
        main({}, **{full_name(name): str(value) for name, value in given.items()}),
        extra_environ={"REMOTE_ADDR": "127.0.0.1"},
    )


def full_name(setting: str) -> str:
    """As an ini file has it."""
    return setting if "." in setting else PREFIX + setting


@pytest.fixture(scope="session")
def vision_server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> "VisionServer":
    """The server that the applications ask about pictures; `vision` starts it."""
    # It needs this module.
    from .vision_server.process import VisionServer

    return VisionServer(database_url, tmp_path_factory.mktemp("vision"))


@pytest.fixture(scope="session")
def vision(vision_server: "VisionServer") -> Iterator["VisionServer"]:
    """That server, running."""
    with vision_server.running():
        yield vision_server


@pytest.fixture(scope="session")
def vision_settings(vision_server: "VisionServer") -> dict[str, str]:
    """How an application finds it."""
    return {"vision_url": vision_server.url, "vision_key": VISION_KEY}


@pytest.fixture(scope="session")
def shared_app(database_url: str, vision_settings: dict[str, str]) -> Iterator[Client]:
    client = build(database_url, **vision_settings)
    yield client
    client.registry.engine.dispose()


@pytest.fixture(scope="session")
def sweeper(database_url: str) -> Iterator[Engine]:
    engine = sweeper_of(database_url)
    yield engine
    engine.dispose()


def sweeper_of(url: str) -> Engine:
    """Connections that `remove_rows` can use; some tests kill those that they find.

    PyMySQL's, whatever the application's driver is: it takes several statements at once.
    """
    several = {"client_flag": CLIENT.MULTI_STATEMENTS}
    return create_engine(
        make_url(url).set(drivername="mysql+pymysql"),
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=several,
    )


@pytest.fixture
def rows_removed(sweeper: Engine) -> Iterator[None]:
    """An empty database for the next test."""
    yield
    remove_rows(sweeper)


def remove_rows(sweeper: Engine) -> None:
    """Empty all tables, in one round trip: it is made thousands of times."""
    emptied = [f"DELETE FROM `{table.name}`" for table in reversed(Base.metadata.sorted_tables)]
    with contextlib.closing(sweeper.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute(";".join(["BEGIN", *emptied, "COMMIT"]))
        # Each statement has its result, or its error.
        while cursor.nextset():
            pass
        cursor.close()


@pytest.fixture
def app(shared_app: Client, rows_removed: None) -> Client:
    """The application with default settings."""
    return shared_app


@pytest.fixture
def make_app(
    rows_removed: None, database_url: str, vision_settings: dict[str, str]
) -> Iterator[Callable[..., Client]]:
    """Makes applications with other settings, on the same database."""
    made = []

    def make(**settings: object) -> Client:
        made.append(build(database_url, **vision_settings | settings))
        return made[-1]

    yield make
    for client in made:
        client.registry.engine.dispose()


@pytest.fixture
def stage(shared_app: Client, rows_removed: None) -> Stage:
    return Stage(shared_app.registry)


@pytest.fixture
def owner(stage: Stage) -> User:
    return stage.user("olga")


@pytest.fixture
def stranger(stage: Stage) -> User:
    return stage.user("stefan")


@pytest.fixture
def administrator(stage: Stage) -> User:
    return stage.user("ada", is_admin=True)


@pytest.fixture
def project(stage: Stage, owner: User) -> Project:
    return stage.project(owner, "Zoo")


@pytest.fixture
def other_project(stage: Stage, stranger: User) -> Project:
    return stage.project(stranger, "Museum")


@pytest.fixture
def editor(stage: Stage, project: Project) -> User:
    return stage.member(project, "edith", "editor")


@pytest.fixture
def viewer(stage: Stage, project: Project) -> User:
    return stage.member(project, "victor", "viewer")


@pytest.fixture
def former(stage: Stage, project: Project) -> User:
    """Somebody who was a member once."""
    user = stage.member(project, "fritz", "editor")
    stage.unshare(project, user)
    return user


@pytest.fixture
def write_token(stage: Stage, project: Project) -> App:
    return stage.app(project)


@pytest.fixture
def read_token(stage: Stage, project: Project) -> App:
    return stage.app(project, "read")


@pytest.fixture
def other_token(stage: Stage, other_project: Project) -> App:
    return stage.app(other_project)


@pytest.fixture
def analysed(stage: Stage, target: Target) -> Target:
    """The target, once it has been analysed."""
    stage.analyse(target)
    return target


@pytest.fixture
def target(stage: Stage, project: Project) -> Target:
    return stage.target(project, description="a gate")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def script(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Outcome]]:
    """Runs the ``main`` of a script: ``script(purge.main, "--dry-run", stdin="…")``."""
    monkeypatch.setenv("AR_TARGETS_DATABASE_URL", database_url)
    monkeypatch.setenv("AR_TARGETS_JWT_KEYS", KEY)

    def run(main: Callable[[list[str]], int], *arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            code = main([str(INI), *arguments])
        except SystemExit as ended:  # argparse
            code = ended.code
        return Outcome(code, *capsys.readouterr())

    with kept_logging():
        yield run


@pytest.fixture
def script_on(
    script: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Runs a script on a database, which is named in the environment meanwhile alone."""
    monkeypatch.delenv("AR_TARGETS_DATABASE_URL")

    def run(url: str, main: Callable[[list[str]], int], *arguments: str) -> Outcome:
        with monkeypatch.context() as patch:
            patch.setenv("AR_TARGETS_DATABASE_URL", url)
            return script(main, *arguments)

    return run


@pytest.fixture
def visitor(app: Client) -> Panel:
    """Nobody."""
    return Panel(app.app)


@pytest.fixture
def panel(visitor: Panel, administrator: User) -> Panel:
    """``ada``, logged in."""
    visitor.log_in()
    return visitor
