"""One version, wherever it stands."""

import re
import tomllib

import pytest

from ..conftest import INI

ROOT = INI.parent
SEMANTIC = r"\d+\.\d+\.\d+"
# In these words, a release's version stands in each of these files.
PLACES = {
    "setup.py": rf'^    version="({SEMANTIC})",$',
    "Dockerfile": rf"^ARG VERSION=({SEMANTIC})$",
    "docs/deploy/kubernetes/kustomization.yaml": rf"^    newTag: ({SEMANTIC})$",
}


def version_of_the_client():
    with (ROOT / "clients/python/pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["version"]


@pytest.mark.parametrize("place", PLACES)
def test_every_place_has_the_clients_version(place):
    text = (ROOT / place).read_text(encoding="utf-8")
    assert re.findall(PLACES[place], text, re.MULTILINE) == [version_of_the_client()]


def test_the_changelog_begins_with_it():
    """Above it is what has not been released yet, if anything."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(rf"^## ({SEMANTIC}) — \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)
    assert newest
    assert newest[1] == version_of_the_client()
    begin = text.replace("\n## Unreleased\n", "\n#  Unreleased\n").index("\n## ") + 1
    assert begin == newest.start()
