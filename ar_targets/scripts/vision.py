"""``ar_targets_vision``: answers what needs pictures at once, for the API and the worker.

A process that works on a picture imports this module again (`ar_targets.vision.pool`): what is
large is imported where it is used.
"""

import sys


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    from ..vision_server.serve import serve  # noqa: PLC0415  # see above
    from .command import parser, run, settings_of  # noqa: PLC0415

    arguments = parser("Answer the API's questions about pictures.").parse_args(argv)
    return run(lambda: serve(settings_of(arguments.ini)))


if __name__ == "__main__":
    sys.exit(main())
