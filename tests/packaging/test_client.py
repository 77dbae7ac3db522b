"""The client, in an environment with nothing but what its wheel asks for."""

import shutil
from importlib.metadata import version

import pytest

from ..contract.test_client import SHARED, needed
from .installed import ROOT, build, call, distributions, files_of_sdist, files_of_wheel, install

CLIENT = ROOT / "clients/python"


@pytest.fixture
def source(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
    return shutil.copytree(CLIENT, tmp_path / "source", ignore=ignored)


def test_the_wheel_alone(source, tmp_path):
    wheel = build(source, tmp_path / "dist")
    modules = {str(path.relative_to(CLIENT)) for path in CLIENT.glob("ar_targets_client/**/*.py")}
    assert len(modules) > 30
    assert files_of_wheel(wheel) == {"ar_targets_client/py.typed", *modules}
    assert files_of_sdist(tmp_path / "dist") >= {"README.md", "LICENSE", *modules}

    programs = install(wheel, tmp_path / "environment", "requirements-dev.lock")
    shutil.rmtree(source)
    found = distributions(programs)
    assert needed("ar-targets-client") < found
    server = {*needed("ar_targets", "mariadb")} - SHARED
    assert not {"ar-targets", "pillow-heif", *server} & found
    done = call(programs / "ar-targets", "--version", cwd=tmp_path)
    assert done == f"ar-targets, version {version('ar-targets-client')}\n"
    assert "Commands:" in call(programs / "ar-targets", "--help", cwd=tmp_path)


def test_both_distributions_have_one_licence():
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
