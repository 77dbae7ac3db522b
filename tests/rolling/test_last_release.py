"""Tests of the last release, with its code, on a database that this version has migrated."""

import io
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ar_targets.models import SCHEMA_REVISION
from ar_targets.version import VERSION

from ..conftest import INI

ROOT = INI.parent
NAMED = Path(__file__).parents[1] / "data/last_release"
RELEASE, COMMIT = NAMED.read_text(encoding="utf-8").split()
# What its server does with every table, and what it does in statements of its own: lists that name
# their indexes, sums, the audit trail, the trash, the purge. Not its health: that of 0.2.0 is well
# on its own schema alone.
CORE = [
    "tests/nouns",
    "tests/functional/test_target_list.py",
    "tests/functional/test_audit.py",
    "tests/functional/test_etag.py",
    "tests/admin/test_dashboard.py",
    "tests/admin/test_trash.py",
    "tests/scripts/test_purge.py",
]


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Ask this repository, whoever owns its files: a container's may be somebody else's."""
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The last release's files."""
    archive = git("archive", COMMIT)
    if archive.returncode:
        pytest.fail(
            f"{RELEASE} ({COMMIT}) is needed, to see that it works on this schema, and this is no "
            "clone that has it. `git fetch --unshallow` completes a shallow one. git says: "
            + archive.stderr.decode()
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(tmp_path, filter="data")
    return tmp_path


def test_the_last_release_is_named(release: Path) -> None:
    """Whoever releases renews the file: "A release" in CONTRIBUTING.md."""
    assert f'\n    version="{RELEASE}",\n' in (release / "setup.py").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\d+\.\d+\.\d+) ", changelog, re.MULTILINE)
    # The one before is right for the one commit that is about to become a release.
    assert versions[0] == VERSION
    assert RELEASE in versions[:2]


def test_the_last_release_works_on_this_schema(release: Path, named_server: str | None) -> None:
    # Neither the coverage nor the pytest of this run is that one's.
    environment = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("COV", "PYTEST_", "AR_TARGETS_TEST_DATABASE"))
    }
    environment["NEWER_SCHEMA"] = SCHEMA_REVISION
    paths = [release, release / "clients/python", Path(__file__).parent]
    environment["PYTHONPATH"] = os.pathsep.join(map(str, paths))
    if named_server:
        environment["AR_TARGETS_TEST_DATABASE_URL"] = named_server
    options = ["-p", "newer_schema", "-p", "no:cacheprovider", "--no-cov", "--quiet"]
    options += ["--numprocesses=2", "--dist=worksteal", "--maxfail=5"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *CORE],
        cwd=release,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr
    # Not a handful by mistake.
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 500
