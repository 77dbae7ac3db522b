"""``ar_targets_schedule``: run ``ar_targets_purge`` and ``ar_targets_backup`` on schedule.

The settings ``purge_schedule`` and ``backup_schedule`` say when. For containers, which have
neither cron nor systemd: it needs no privileges, passes on its environment and output, and can
be the container's only process. APScheduler waits for the times; runs of one task do not overlap.
"""

import argparse
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, NoReturn

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim

from ..settings import PREFIX, Settings
from .command import CommandError, parser, run, settings_of

log = logging.getLogger(__name__)

PURGE, BACKUP = "purge", "backup"


def leave(_signal: int, _frame: object) -> NoReturn:
    """The handler of SIGTERM: raises SystemExit to end the scheduler's wait."""
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser(
        "Run ar_targets_purge and ar_targets_backup on the schedules that the settings name, "
        "until SIGTERM."
    )
    made.add_argument("--only", choices=(PURGE, BACKUP), help="one of the two")
    made.add_argument(
        "--status",
        type=Path,
        metavar="FILE",
        help="where the last exit status is written; of two tasks, that of a failed one",
    )
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """Run the tasks on schedule until SIGTERM. Raises CommandError if there is none."""
    settings = settings_of(arguments.ini)
    planned = [
        plan for plan in plans(arguments.ini, settings) if arguments.only in (None, plan.name)
    ]
    if not planned:
        raise CommandError(f"{PREFIX}{arguments.only}_schedule is not set")
    status = Status(arguments.status)
    tasks = []
    scheduler = BlockingScheduler(timezone=UTC)
    for plan in planned:
        times, task = Crontab(plan.schedule), Task(plan.name, plan.command, status)
        tasks.append(task)
        # Times missed during a run, or while the machine was suspended, result in one run.
        scheduler.add_job(task.run, times, name=plan.name, coalesce=True, misfire_grace_time=None)
        first = times.get_next_fire_time(None, datetime.now(UTC))
        log.info("the first %s is at %s", plan.name, first)
    signal.signal(signal.SIGTERM, leave)
    try:
        scheduler.start()
    finally:
        for task in tasks:
            task.stop()
        scheduler.shutdown()


class Plan(NamedTuple):
    """What is to be run, and when."""

    name: str
    schedule: str
    command: list[str]


def plans(ini: str, settings: Settings) -> Iterator[Plan]:
    """The tasks that the settings ask for."""
    yield Plan(PURGE, settings.purge_schedule, purge_command(ini, settings))
    if settings.backup_schedule:
        yield Plan(BACKUP, settings.backup_schedule, backup_command(ini, settings))


class Crontab(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A trigger for five crontab fields; in APScheduler's own trigger, day 0 is Monday."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The first time after ``previous``, or after ``now`` if there is none."""
        return next(CronSim(self.text, previous or now), None)


class Status:
    """A file with the exit status of the last run: where tasks differ, of one that failed."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self._last: dict[str, int] = {}

    def write(self, name: str, status: int) -> None:
        """Take note of a task's exit status."""
        self._last[name] = status
        if self.file:
            failed = next(filter(None, self._last.values()), 0)
            part = self.file.with_name(f"{self.file.name}.{name}.part")
            part.write_text(f"{failed}\n", encoding="ascii")
            part.replace(self.file)


class Task:
    """Runs a command as a subprocess, one at a time."""

    def __init__(self, name: str, command: list[str], status: Status) -> None:
        self.name, self.command, self.status = name, command, status
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Run it once; log its exit status and write it to the status file."""
        begun = time.monotonic()
        self.process = subprocess.Popen(self.command)  # noqa: S603  # it is ours
        status = self.process.wait()
        took = time.monotonic() - begun
        level = logging.ERROR if status else logging.INFO
        log.log(
            level, "ar_targets_%s ended with exit status %s after %.1f s", self.name, status, took
        )
        self.status.write(self.name, status)

    def stop(self) -> None:
        """Terminate the current run: a purge's batches before that are committed."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def purge_command(ini: str, settings: Settings) -> list[str]:
    """The command line of a purge."""
    command = [sys.executable, "-m", "ar_targets.scripts.purge", ini]
    if settings.purge_deleted_after is not None:
        command += ["--deleted-older-than", str(settings.purge_deleted_after)]
    return command


def backup_command(ini: str, settings: Settings) -> list[str]:
    """The command line of a backup."""
    command = [sys.executable, "-m", "ar_targets.scripts.backup", ini]
    command += ["create", str(settings.backup_directory), "--keep", str(settings.backup_keep)]
    return [*command, "--keys"] if settings.backup_keys else command


if __name__ == "__main__":
    sys.exit(main())
