"""``ar_targets_purge``, again and again, while everything else goes on."""

import subprocess
import sys
import threading

from .machine import Machine

PAUSE_SECONDS = 3.0
TIMEOUT = 120.0


class Purger(threading.Thread):
    """Removes for good all that has been deleted. It may fail while the database is away."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(name="purger")
        self.wrong: list[str] = []
        self.codes: list[int] = []
        self._machine = machine
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        command = [sys.executable, "-m", "ar_targets.scripts.purge", str(self._machine.ini)]
        while not self._stopping.wait(PAUSE_SECONDS):
            done = subprocess.run(
                [*command, "--deleted-older-than", "0"],
                env=self._machine.environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            self.codes.append(done.returncode)
            if done.returncode not in (0, 1) or "Traceback" in done.stderr:
                self.wrong.append(f"purge: {done.returncode} {done.stderr[-1000:]}")
