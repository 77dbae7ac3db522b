"""No room: on the database's disk, on that of its binary log, and where temporary files are."""

import contextlib
import json
import os
import re
import signal
import time
from contextlib import ExitStack

import pymysql
import pytest
from sqlalchemy import select

from ar_targets.development.database import PrivateDatabase

from ..actors import Stage
from ..client import check_error
from ..conftest import build, migrate, remove_rows, sweeper_of, with_driver
from ..pictures import CHINA, base64_of
from ..soak.machine import small_disk
from ..tables import audit, target
from .test_server import JSON, needs_proc, running

MIB = 2**20
PICTURE = CHINA + bytes(MIB)
SMALL = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M")


@pytest.fixture
def disk(tmp_path):
    """Makes a file system of so many megabytes."""
    with ExitStack() as stack:

        def make(megabytes):
            try:
                return stack.enter_context(small_disk(tmp_path / "disk", megabytes))
            except OSError as refused:
                pytest.skip(f"a small disk takes the right to mount one: {refused}")

        yield make


@contextlib.contextmanager
def full(directory):
    """No byte is left meanwhile."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


@needs_proc
def test_temporary_files_on_a_full_disk(database_url, tmp_path, disk, project, write_token):
    """The metrics of all workers are mapped files: whoever cannot write there would die."""
    small = disk(8)
    environ = {"TMPDIR": str(small), "AR_TARGETS_IMAGE_MAX_BYTES": "10485760"}
    body = json.dumps({"image": base64_of(PICTURE)})
    with running(database_url, tmp_path, environ=environ) as server:
        workers = server.children
        with full(small):
            for method, path, sent, status in [
                ("GET", "/api/openapi.json", None, 200),
                ("GET", "/metrics", None, 200),
                ("GET", "/admin/login/", None, 200),
                ("GET", "/zoo", None, 404),
                ("POST", project.targets, body, 201),
                ("GET", project.targets, None, 200),
            ]:
                headers = write_token.headers | (JSON if sent else {})
                assert server.ask(method, path, sent, **headers)[0] == status, path
        assert server.children == workers
