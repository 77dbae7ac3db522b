"""What the console scripts share: arguments, settings, logging and exit status.

0 is success; 1 is a failure, with one line on standard error; 2 is a command
line that argparse rejects.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import plaster
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from .. import settings
from ..db.engine import make_engine
from ..development.supplied import settings_beside
from ..settings import Settings
from ..version import VERSION


class CommandError(Exception):
    """Why a script failed; one line for the terminal."""


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser with the ini file, the argument of nearly all scripts."""
    made = plain_parser(description)
    made.add_argument("ini", help="the ini file, such as production.ini")
    return made


def plain_parser(description: str) -> argparse.ArgumentParser:
    """An argument parser with ``--version`` alone."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    return made


def positive(least: int) -> Callable[[str], int]:
    """An argparse type: an integer of at least ``least``."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} up")
        return int(text)

    return parse


def settings_of(ini: str) -> Settings:
    """Load the settings from an ini file and the environment, and set up logging.

    Where neither names a database, it is the one that ``ar_targets_serve`` runs meanwhile.

    Raises CommandError if the file cannot be read.
    """
    try:
        plaster.setup_logging(ini)
        app = plaster.get_settings(ini, "app:main")
        return settings.load({**app, **settings_beside(Path(ini), app)})
    except (FileNotFoundError, plaster.PlasterError) as wrong:
        raise CommandError(f"cannot read {ini}: {wrong}") from None


def engine_of(ini: str) -> Engine:
    """The engine for an ini file."""
    return make_engine(settings_of(ini))


def run(work: Callable[[], None]) -> int:
    """Run a script's work; returns the exit status."""
    try:
        work()
    except CommandError as failure:
        return fail(str(failure))
    except DBAPIError as failure:
        return fail(f"the database refused: {failure.orig}")
    except KeyboardInterrupt:
        return fail("interrupted")
    return 0


def fail(message: str) -> int:
    """Print a message on standard error; returns the exit status 1."""
    print(message, file=sys.stderr)
    return 1
