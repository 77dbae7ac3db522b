"""A process outlives the connections that it loses, whichever statement loses them.

MariaDB's connector is written in C: where it reads memory that was freed, the process may die, now
or much later. With ``PYTHONMALLOC=debug``, Python overwrites what it frees, and it dies at once.
"""

import os
import subprocess
import sys

import pytest

from ..conftest import KEY
from ..database_proxy.fault import CUT_BEFORE
from ..database_proxy.proxy import DatabaseProxy, upstream_of

TIMES = 3
# Lets go of a failed statement as `http.tweens.release_factory` does.
PROGRAM = f"""
import traceback
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from ar_targets import settings
from ar_targets.db.engine import make_engine, make_read_engine

loaded = settings.load({{}})
for engine in make_engine(loaded), make_read_engine(loaded):
    for _ in range({TIMES}):
        print("begin")
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 'as text'"))
                connection.execute(text("SELECT 'prepared', :value"), {{"value": b"bytes"}})
        except DBAPIError as error:
            print("failed")
            while error is not None:
                traceback.clear_frames(error.__traceback__)
                error = error.__cause__ or error.__context__
        engine.dispose()
"""


@pytest.mark.parametrize("words", ["ISOLATION LEVEL READ", "SET time_zone", "as text", "prepared"])
def test_a_lost_connection(database_url, words):
    with (
        DatabaseProxy(upstream_of(database_url)) as proxy,
        proxy.failing(lambda statement: words in statement.text, CUT_BEFORE, times=None) as struck,
    ):
        settings = {"DATABASE_URL": proxy.url_for(database_url), "JWT_KEYS": KEY}
        named = {f"AR_TARGETS_{name}": value for name, value in settings.items()}
        environment = os.environ | named | {"PYTHONMALLOC": "debug"}
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("failed") == ended.stdout.count("begin") == len(struck.statements)
