"""The client stands on its own: it runs where none of the server's libraries are installed."""

import subprocess
import sys
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .test_imports import below, offenders

ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ImportError("the client imports " + name)

sys.meta_path.insert(0, Refuse())
import ar_targets_client, ar_targets_client.upload, ar_targets_client.export
import ar_targets_client.cli.main
"""


# What both need: the server asks its own vision server by HTTP.
SHARED = {"urllib3"}


def needed(distribution, extra=""):
    """The distributions that one names as its requirements, those of an extra included."""
    named = [Requirement(line) for line in requires(distribution)]
    return {
        canonicalize_name(each.name)
        for each in named
        if each.marker is None or each.marker.evaluate({"extra": extra})
    }


def test_nothing_of_the_server_is_loaded():
    libraries = needed("ar_targets", "mariadb") - SHARED
    refused = {"ar_targets", "PIL", *(name.replace("-", "_") for name in libraries)}
    assert {"pyramid", "sqlalchemy", "cornice", "pymysql"} <= refused
    code = ALONE.replace("{refused}", repr(refused))
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_neither_imports_the_other():
    assert offenders(below("ar_targets_client"), "ar_targets") == []
    assert offenders(below("ar_targets"), "ar_targets_client") == []


def test_the_client_does_not_know_its_command_line():
    client = set(below("ar_targets_client")) - set(below("ar_targets_client.cli"))
    assert offenders(client, "ar_targets_client.cli") == []


def test_the_server_does_not_need_its_libraries():
    own = needed("ar-targets-client") - SHARED
    assert not own & needed("ar_targets", "mariadb")
    assert offenders(below("ar_targets"), *own) == []
