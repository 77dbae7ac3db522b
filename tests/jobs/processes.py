"""The worker and the vision server as an operator runs them: processes with an ini file."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import INI, KEY
from ..ports import free_port

LEVEL = re.compile(r"(?m)(?<=^\[logger_ar_targets\]\nlevel = )\w+")


class Process:
    """A script that runs until SIGTERM; its log, with a line for each picture, is a file."""

    def __init__(self, script: str, directory: Path, name: str, **settings: object) -> None:
        ini = directory / "debug.ini"
        ini.write_text(LEVEL.sub("DEBUG", INI.read_text()))
        self._command = [sys.executable, "-m", f"ar_targets.scripts.{script}", str(ini)]
        named = {"jwt_keys": KEY} | settings
        self._settings = {f"AR_TARGETS_{key.upper()}": str(value) for key, value in named.items()}
        self._log = directory / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text() if self._log.exists() else ""

    def start(self) -> None:
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                self._command, env=os.environ | self._settings, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit status. It is given the time that a service manager gives."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)


class VisionServer(Process):
    """``ar_targets_vision`` on a port that stays its own."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            "vision",
            directory,
            "vision",
            database_url=database_url,
            vision_key=KEY,
            vision_listen=f"127.0.0.1:{self.port}",
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        super().start()
        eventually(self._answers, self)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/live") as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False


def eventually(condition: Callable[[], object], *running: Process, seconds: float = 600) -> None:
    """Wait for something that happens within moments, but on a busy machine."""
    deadline = time.monotonic() + seconds
    while not condition():
        ended = [one for one in running if one.process and one.process.poll() is not None]
        said = "\n".join(one.log[-3000:] for one in ended or running)
        if ended or time.monotonic() > deadline:
            pytest.fail(f"it did not happen; ended: {len(ended)}\n{said}")
        time.sleep(0.05)
