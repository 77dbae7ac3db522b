"""``ar_targets_worker``: examine the pictures of image targets, until SIGTERM.

Any number of them, on any number of machines, share the work (`ar_targets.jobs`).

The imports are in `main`: this module is imported again by each process that examines a picture.
"""

import sys


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    from ..jobs.process import work  # noqa: PLC0415
    from .command import parser, run, settings_of  # noqa: PLC0415

    made = parser("Examine the pictures of image targets as they come in, until SIGTERM.")
    arguments = made.parse_args(argv)
    return run(lambda: work(settings_of(arguments.ini)))


if __name__ == "__main__":
    sys.exit(main())
