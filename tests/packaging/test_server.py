"""The server on a machine without a checkout: from its wheel to an answer."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url

from ar_targets.models import SCHEMA_REVISION
from ar_targets.version import VERSION

from ..conftest import INI, KEY, PRODUCTION
from ..ports import free_port
from ..throwaway import on_server_of
from .installed import ROOT, build, call, distributions, files_of_sdist, files_of_wheel, install


@pytest.fixture
def source(tmp_path):
    """What the Dockerfile copies to build the package, and so all that this may need."""
    folder = tmp_path / "source"
    folder.mkdir()
    stage = (ROOT / "Dockerfile").read_text().partition(" AS package\n")[2].partition("\nFROM ")[0]
    for line in re.findall(r"^COPY (.+)$", stage, re.MULTILINE):
        *names, place = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                assert place == f"/src/{name}"
                # As a container engine does it: links stay links.
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
            else:
                assert place == "/src/"
                shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def settings(database_url):
    """The environment of an operator with an empty database."""
    with on_server_of(database_url) as url:
        # Without a compiler: the driver in Python.
        plain = make_url(url).set(drivername="mysql+pymysql")
        yield {
            "AR_TARGETS_DATABASE_URL": plain.render_as_string(hide_password=False),
            "AR_TARGETS_JWT_KEYS": KEY,
            "AR_TARGETS_WORKERS": "1",
        }


@contextmanager
def serving(programs, ini, settings):
    """``pserve``; yields its address."""
    address = f"127.0.0.1:{free_port()}"
    environment = settings | {"AR_TARGETS_LISTEN": address, "PATH": f"{programs}:/usr/bin:/bin"}
    process = subprocess.Popen([programs / "pserve", ini], cwd=ini.parent, env=environment)
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        assert process.wait(40) == 0


def answer(url):
    """The JSON at a URL, as soon as something listens there."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    return pytest.fail(f"nothing answers at {url}")


def test_from_the_wheel_to_an_answer(source, settings, tmp_path):
    wheel = build(source, tmp_path / "dist")
    migrations = {f"ar_targets/{path.relative_to(ROOT)}" for path in ROOT.glob("alembic/**/*.py")}
    carried = {"ar_targets/alembic/script.py.mako", f"ar_targets/{INI.name}", *migrations}
    assert len(migrations) > 5
    assert carried < files_of_wheel(wheel)
    assert carried < files_of_sdist(tmp_path / "dist")

    programs = install(wheel, tmp_path / "environment", "requirements.lock")
    shutil.rmtree(source)
    assert not {"pytest", "requests", "rich", "ar-targets-client"} & distributions(programs)

    # Not through a path of this checkout.
    place = tmp_path / "installation"
    call(programs / "ar_targets_init", place, cwd=tmp_path)
    ini = place / PRODUCTION.name
    done = call(programs / "ar_targets_initdb", ini, cwd=tmp_path, **settings)
    assert done == f"the schema is at {SCHEMA_REVISION}\n"
    done = call(programs / "alembic", "-c", ini, "current", cwd=place, **settings)
    assert done == f"{SCHEMA_REVISION} (head)\n"
    with serving(programs, ini, settings) as url:
        assert answer(f"{url}/health/ready") == {"status": "ok", "schema": SCHEMA_REVISION}
        assert answer(f"{url}/api/openapi.json")["info"]["version"] == VERSION
