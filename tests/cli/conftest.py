"""``ar-targets`` in the tests' own process, against a live server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from ar_targets.cli.main import cli
from ar_targets.client import Client, Retry

from ..actors import App, Project, User
from ..live import Live, Wire, live

FAST = Retry(attempts=4, first=0.01, longest=0.05, patience=3)


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(database_url, tmp_path_factory.mktemp("live"), login_failures="3 per 1 hour") as made:
        yield made


@pytest.fixture
def wire(server: Live) -> Iterator[Wire]:
    made = Wire(server)
    yield made
    made.close()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tokens are kept."""
    for name in ("TOKEN", "PROJECT", "SERVER"):
        monkeypatch.delenv(f"AR_TARGETS_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "ar-targets" / "credentials.json"


@pytest.fixture
def run(server: Live, rows_removed: None, config: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command: ``run("project", "list", stdin="…", AR_TARGETS_TOKEN="…")``."""
    # Pauses between attempts are no matter of the commands.
    monkeypatch.setattr("ar_targets.cli.session.Retry", quick)

    def run(*arguments: object, stdin: str | None = None, **environment: str) -> Outcome:
        environment = {"AR_TARGETS_SERVER": server.url} | environment
        done = CliRunner().invoke(cli, [*map(str, arguments)], input=stdin, env=environment)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


def quick(attempts: int) -> Retry:
    return Retry(attempts, FAST.first, FAST.longest, FAST.patience)


@pytest.fixture
def as_user(run: Run, owner: User) -> Run:
    """Runs commands with the user token of ``owner``."""

    def as_user(*arguments: object, **rest: Any) -> Outcome:
        return run(*arguments, **{"AR_TARGETS_TOKEN": owner.token} | rest)

    return as_user


@pytest.fixture
def as_app(run: Run, project: Project, write_token: App) -> Run:
    """Runs commands with the project's token, and its id in the environment."""

    def as_app(*arguments: object, **rest: Any) -> Outcome:
        token = {"AR_TARGETS_TOKEN": write_token.token, "AR_TARGETS_PROJECT": str(project.id)}
        return run(*arguments, **token | rest)

    return as_app


@pytest.fixture
def client(server: Live, rows_removed: None) -> Iterator[Client]:
    """A client without a token, and hardly any pauses."""
    with Client(server.url, retry=FAST) as made:
        yield made
