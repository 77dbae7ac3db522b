"""Scripts run in the tests' own process, on the tests' database."""

import io
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from ..conftest import INI, KEY


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
    # A script sets up logging, which is the whole process's.
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(main: Callable[[list[str]], int], *arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            code = main([str(INI), *arguments])
        except SystemExit as ended:  # argparse
            code = ended.code
        return Outcome(code, *capsys.readouterr())

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)
