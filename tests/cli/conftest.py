"""``ar-targets`` in the tests' own process, against a live server."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from ar_targets_client import Client, Retry
from ar_targets_client.cli.main import cli

from ..actors import App, Project, User
from ..live import Live, Wire, live
from .imposter import PROJECT, TOKEN, Imposter, imposing

FAST = Retry(attempts=4, first=0.01, longest=0.05, longest_asked=3)


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def is_refusal(self, said: str, code: int = 1) -> bool:
        """Whether it is an error in one line, and nothing else."""
        line, end, rest = self.err.partition("\n")
        is_line = line.startswith("Error: ") and line.isprintable() and said in line
        return (self.code, self.out, end, rest) == (code, "", "\n", "") and is_line


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
    monkeypatch.setattr("ar_targets_client.cli.session.Retry", quick)

    def run(*arguments: object, stdin: str | None = None, **environment: str) -> Outcome:
        return outcome(arguments, stdin, {"AR_TARGETS_SERVER": server.url} | environment)

    return run


def outcome(arguments: Sequence[object], stdin: str | None, environment: dict[str, str]) -> Outcome:
    """What becomes of a command. An exception that it does not tell in words is raised."""
    done = CliRunner().invoke(cli, [*map(str, arguments)], input=stdin, env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Outcome(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def imposter() -> Iterator[Imposter]:
    with imposing() as made:
        yield made


@pytest.fixture
def misled(imposter: Imposter, config: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with the imposter for a server."""
    monkeypatch.setattr("ar_targets_client.cli.session.Retry", quick)
    at_imposter = {
        "AR_TARGETS_SERVER": imposter.url,
        "AR_TARGETS_TOKEN": TOKEN,
        "AR_TARGETS_PROJECT": str(PROJECT),
    }

    def misled(*arguments: object, stdin: str | None = None, **environment: str) -> Outcome:
        return outcome(arguments, stdin, at_imposter | environment)

    return misled


def quick(attempts: int) -> Retry:
    return Retry(attempts, FAST.first, FAST.longest, FAST.longest_asked)


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
