"""``ar_targets_init``: write the ini files of a new installation, and say how to go on.

For a machine without a checkout: the package brings the files along.
"""

import os
import shlex
import sys
from importlib.resources import files
from pathlib import Path

from .command import CommandError, plain_parser, run

NAMES = ("development.ini", "production.ini")
NEXT_STEPS = """\
wrote {development} and {production}. Next, with a database of yours:

  export AR_TARGETS_DATABASE_URL='mysql+pymysql://user:password@host/database'
  export AR_TARGETS_JWT_KEYS="$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')"
  ar_targets_initdb {production}
  pserve {production}

Keep the key: without it, all tokens become invalid. To try it on a private database:

  ar_targets_serve {development}"""


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = plain_parser("Write development.ini and production.ini, and say how to go on.")
    made.add_argument("directory", type=Path, help="for the files; made if it is not there")
    arguments = made.parse_args(argv)
    return run(lambda: write(arguments.directory))


def write(directory: Path) -> None:
    """Write all ini files, or none where one is there already. Raises CommandError."""
    paths = [directory / name for name in NAMES]
    for path in paths:
        if os.path.lexists(path):
            raise CommandError(f"{path} is there already; nothing was written")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in paths:
            with path.open("xb") as file:
                file.write(files("ar_targets").joinpath(path.name).read_bytes())
    except OSError as wrong:
        raise CommandError(f"cannot write to {directory}: {wrong.strerror}") from None
    development, production = (shlex.quote(str(path)) for path in paths)
    print(NEXT_STEPS.format(development=development, production=production))


if __name__ == "__main__":
    sys.exit(main())
