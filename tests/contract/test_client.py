"""The client stands on its own: it runs where none of the server's libraries are installed."""

import subprocess
import sys
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from .test_imports import MODULES, below, offenders, outside, within

ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ImportError("the client imports " + name)

sys.meta_path.insert(0, Refuse())
import ar_targets.client, ar_targets.client.upload, ar_targets.client.export
import ar_targets.cli.main
"""


def distributions(*, extra):
    """What the server needs, or what the client does."""
    parsed = map(Requirement, requires("ar_targets"))
    return {r.name for r in parsed if bool(r.marker and "client" in str(r.marker)) is extra}


def test_nothing_of_the_server_is_loaded():
    refused = {name.partition(".")[0].replace("-", "_") for name in distributions(extra=False)}
    assert {"pyramid", "sqlalchemy", "cornice", "pymysql"} <= refused
    code = ALONE.replace("{refused}", repr(refused))
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_missing_library_is_named_with_its_remedy():
    code = "import sys; sys.modules['rich'] = None; import ar_targets.cli; ar_targets.cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "ar-targets needs rich, which is not installed: pip install 'ar_targets[client]'"
    ]


@pytest.mark.parametrize("part", ["client", "cli"])
def test_its_modules_import_each_other_only(part):
    allowed = (
        ("ar_targets.client",) if part == "client" else ("ar_targets.client", "ar_targets.cli")
    )
    found = [
        f"{module}: {name}"
        for module in below(f"ar_targets.{part}")
        for name in MODULES[module]
        if within(name, "ar_targets") and not within(name, *allowed)
    ]
    assert found == []


def test_the_server_does_not_need_it():
    parts = ("ar_targets.client", "ar_targets.cli")
    assert offenders(outside(*parts), *parts) == []
    assert not distributions(extra=True) & distributions(extra=False)
    needed = distributions(extra=True)
    assert offenders(outside(*parts), *needed) == []
