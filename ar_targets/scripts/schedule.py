"""``ar_targets_schedule``: run ``ar_targets_purge`` at the times of the setting ``purge_schedule``.

For containers, which have neither cron nor systemd: it needs no privileges, passes
on its environment and output, and can be the container's only process.
APScheduler waits for the times; runs do not overlap.
"""

import argparse
import logging
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim

from ..settings import Settings
from .command import parser, run, settings_of

log = logging.getLogger(__name__)


def leave(_signal: int, _frame: object) -> NoReturn:
    """The handler of SIGTERM: raises SystemExit to end the scheduler's wait."""
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser("Run ar_targets_purge on the schedule that the settings name, until SIGTERM.")
    made.add_argument(
        "--status", type=Path, metavar="FILE", help="where the last exit status is written"
    )
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """Run the purge on schedule until SIGTERM."""
    settings = settings_of(arguments.ini)
    purge = Purge(purge_command(arguments.ini, settings), arguments.status)
    scheduler = BlockingScheduler(timezone=UTC)
    # Times missed during a run, or while the machine was suspended, result in one run.
    times = Crontab(settings.purge_schedule)
    scheduler.add_job(purge.run, times, name="purge", coalesce=True, misfire_grace_time=None)
    log.info("the first purge is at %s", times.get_next_fire_time(None, datetime.now(UTC)))
    signal.signal(signal.SIGTERM, leave)
    try:
        scheduler.start()
    finally:
        purge.stop()
        scheduler.shutdown()


class Crontab(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A trigger for five crontab fields; in APScheduler's own trigger, day 0 is Monday."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The first time after ``previous``, or after ``now`` if there is none."""
        return next(CronSim(self.text, previous or now), None)


class Purge:
    """Runs the purge as a subprocess, one at a time."""

    def __init__(self, command: list[str], status_file: Path | None) -> None:
        self.command, self.status_file = command, status_file
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Run it once; log its exit status and write it to the status file."""
        begun = time.monotonic()
        self.process = subprocess.Popen(self.command)  # noqa: S603  # it is ours
        status = self.process.wait()
        took = time.monotonic() - begun
        level = logging.ERROR if status else logging.INFO
        log.log(level, "ar_targets_purge ended with exit status %s after %.1f s", status, took)
        if self.status_file:
            part = self.status_file.with_name(f"{self.status_file.name}.part")
            part.write_text(f"{status}\n", encoding="ascii")
            part.replace(self.status_file)

    def stop(self) -> None:
        """Terminate the current run; the batches before that are committed."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def purge_command(ini: str, settings: Settings) -> list[str]:
    """The command line of one run."""
    command = [sys.executable, "-m", "ar_targets.scripts.purge", ini]
    if settings.purge_deleted_after is not None:
        command += ["--deleted-older-than", str(settings.purge_deleted_after)]
    return command


if __name__ == "__main__":
    sys.exit(main())
