"""What an experiment on a cluster needs."""

import os

import pytest

from ar_targets.development import program

from ..edge.nginx import NGINX
from .node import PROVIDER

PROGRAMS = ("mariadbd", "mariadb-install-db", "wsrep_sst_rsync", "rsync", "haproxy")


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Skip where something is missing; but in continuous integration, fail."""
    missing = [name for name in PROGRAMS if program.locate(name) is None]
    missing += [] if PROVIDER.exists() else ["galera-4"]
    missing += [] if NGINX else ["nginx"]
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"the tests on a cluster need {', '.join(missing)}")
