"""``ar_targets_schedule``: run ``ar_targets_purge`` when the setting ``purge_schedule`` says.

For containers, where neither cron nor systemd runs: it needs no privileges,
hands on its environment and its output, and is the container's one process.
One run ends before the next begins; what fell due meanwhile is left out.
"""

import argparse
import logging
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from cronsim import CronSim

from ..settings import Settings
from ..workers import leave
from .command import parser, run, settings_of

log = logging.getLogger(__name__)

# Seconds to sleep at most: then the clock is looked at again, which may have been set.
NAP = 30


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser("Run ar_targets_purge on the schedule that the settings name, until SIGTERM.")
    made.add_argument(
        "--status", type=Path, metavar="FILE", help="where the last exit status is written"
    )
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """Wait and purge, for ever."""
    settings = settings_of(arguments.ini)
    command = purge_command(arguments.ini, settings)
    signal.signal(signal.SIGTERM, leave)
    while True:
        moment = next(CronSim(settings.purge_schedule, datetime.now(UTC)))
        log.info("the next purge is at %s", moment.isoformat())
        sleep_until(moment)
        status = purge(command)
        if arguments.status:
            arguments.status.write_text(f"{status}\n", encoding="ascii")


def purge_command(ini: str, settings: Settings) -> list[str]:
    """The command line of one run."""
    command = [sys.executable, "-m", "ar_targets.scripts.purge", ini]
    if settings.purge_deleted_after is not None:
        command += ["--deleted-older-than", str(settings.purge_deleted_after)]
    return command


def sleep_until(moment: datetime) -> None:
    """Return at that moment."""
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(min(left, NAP))


def purge(command: list[str]) -> int:
    """Run it once; its exit status. Ends it when we are to end."""
    begun = time.monotonic()
    process = subprocess.Popen(command)  # noqa: S603  # it is ours
    try:
        status = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    level = logging.ERROR if status else logging.INFO
    took = time.monotonic() - begun
    log.log(level, "ar_targets_purge ended with exit status %s after %.1f s", status, took)
    return status


if __name__ == "__main__":
    sys.exit(main())
