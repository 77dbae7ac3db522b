"""``ar_targets_vision`` as it runs: a process on a free port."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from ar_targets.development import process
from ar_targets.vision_client import VisionClient

from ..conftest import INI, KEY, VISION_KEY
from ..ports import free_port

START_SECONDS = 60.0
# Nobody waits so long: what a busy machine may take.
PATIENCE = 60.0


class VisionServer:
    """One server; ``settings`` are those that differ."""

    def __init__(self, database_url: str, directory: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = VisionClient(self.url, VISION_KEY, PATIENCE)
        self._log = directory / f"vision-{self.port}.log"
        named = {
            "database_url": database_url,
            "jwt_keys": KEY,
            "vision_key": VISION_KEY,
            "vision_listen": f"127.0.0.1:{self.port}",
            "vision_timeout": str(round(PATIENCE)),
        } | settings
        given = {f"AR_TARGETS_{name.upper()}": value for name, value in named.items()}
        self.environment = os.environ | given
        self.command = [sys.executable, "-m", "ar_targets.scripts.vision", str(INI)]
        self.process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator["VisionServer"]:
        with (
            self._log.open("ab") as log,
            process.running(
                self.command, env=self.environment, output=log, stop_seconds=20
            ) as self.process,
        ):
            deadline = time.monotonic() + START_SECONDS
            while not self._answers():
                assert self.process.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.05)
            yield self

    @property
    def log(self) -> str:
        return self._log.read_text()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/live", timeout=5).ok
        except requests.ConnectionError:
            return False

    def post(self, path: str, data: bytes = b"", key: str = VISION_KEY) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.post(self.url + path, data, headers=headers, timeout=PATIENCE)

    def metric(self, name: str, labels: str = "") -> float:
        """The value of a metric; 0 where it has none."""
        text = requests.get(f"{self.url}/metrics", timeout=PATIENCE).text
        full = re.escape(f"ar_targets_vision_{name}{labels}")
        found = re.search(rf"^{full} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def helpers(self) -> list[int]:
        """Its child processes: the fork server, and one of multiprocessing's."""
        assert self.process is not None
        return children(self.process.pid)

    def children(self) -> list[int]:
        """The processes that work on pictures: children of the fork server."""
        return [child for helper in self.helpers() for child in children(helper)]


def children(pid: int) -> list[int]:
    """The child processes of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return found


def wait_until(condition, seconds: float = PATIENCE) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not come true"
        time.sleep(0.02)
