"""``ar_targets_secrets``: create the secrets of an installation that do not exist yet.

``docker-compose.yaml`` runs it first. Each secret is a file: those of the
application are readable by its user only; those of the database are in a separate
directory, since the database reads them as another user. Values from the
environment are used instead of new ones.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from .. import settings
from .command import CommandError, plain_parser, run

OWN, SHARED = 0o400, 0o444
USER = DATABASE = "ar_targets"


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = plain_parser("Make the secrets of a new installation.")
    made.add_argument("directory", type=Path, help="for the application's: keys, database URL")
    made.add_argument("database", type=Path, help="for the database's: its passwords")
    made.add_argument("--host", default="database", help="of the database (default: database)")
    one = made.add_mutually_exclusive_group()
    one.add_argument("--show-password", action="store_true", help="of the administrator; once")
    one.add_argument("--new-key", action="store_true", help="sign with a new key from now on")
    one.add_argument("--drop-old-keys", action="store_true", help="end the tokens of older keys")
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """Show or rotate a secret, or create all that are missing."""
    own = arguments.directory
    if arguments.show_password:
        show_password(own / "admin_password")
    elif arguments.new_key:
        keys = read(own / "jwt_keys").split()
        write(own / "jwt_keys", "\n".join([new(), *keys]), OWN)
        print(f"{len(keys) + 1} keys; restart the servers, then the new one signs")
    elif arguments.drop_old_keys:
        newest, *older = read(own / "jwt_keys").split()
        write(own / "jwt_keys", newest, OWN)
        print(f"dropped {len(older)} keys; restart the servers, then their tokens end")
    else:
        make(own, arguments.database, arguments.host)


def make(own: Path, database: Path, host: str) -> None:
    """Create missing secrets, and take over values from the environment where that is safe."""
    keys = given("AR_TARGETS_JWT_KEYS", settings.jwt_keys)
    url = given("AR_TARGETS_DATABASE_URL", settings.database_url)
    vision_key = given("AR_TARGETS_VISION_KEY", settings.secret_key)
    keep(database / "root_password", given("DATABASE_ROOT_PASSWORD"), SHARED)
    password = keep(database / "password", given("DATABASE_PASSWORD"), SHARED)
    own_url = f"mysql+mariadbconnector://{USER}:{quote(password, safe='')}@{host}/{DATABASE}"
    write(own / "database_url", url or own_url, OWN)
    if keys or not (own / "jwt_keys").exists():
        write(own / "jwt_keys", keys or new(), OWN)
    if vision_key or not (own / "vision_key").exists():
        write(own / "vision_key", vision_key or new(), OWN)
    if not (own / "admin_password").exists():
        write(own / "admin_password", given("ADMIN_PASSWORD") or secrets.token_urlsafe(12), OWN)
    print("the secrets are there")


def show_password(file: Path) -> None:
    """Print the administrator's initial password, and erase it. Raises CommandError."""
    password = read(file)
    if not password:
        raise CommandError("it has been shown; set a new one with ar_targets_admin INI password")
    # The file stays, empty, so that no new password is created.
    write(file, "", OWN)
    print(password)


def keep(file: Path, wanted: str | None, mode: int) -> str:
    """A password that the database has stored since its first start; created if missing.

    Raises CommandError if ``wanted`` is another one.
    """
    if not file.exists():
        write(file, wanted or new(), mode)
    kept = read(file)
    if wanted and wanted != kept:
        raise CommandError(
            f"the database has another {file.name} since its first start; change it there "
            f"(ALTER USER), write it into {file}, and start again"
        )
    return kept


def given(variable: str, parse: Callable[[str], object] = str) -> str | None:
    """The value of an environment variable, checked by ``parse``; None if it is empty.

    Raises CommandError.
    """
    text = os.environ.get(variable, "").strip()
    try:
        return text if text and parse(text) else None
    except ValueError as wrong:
        raise CommandError(f"{variable}: {wrong}") from None


def new() -> str:
    """A secret of 64 characters."""
    return secrets.token_urlsafe(48)


def read(file: Path) -> str:
    """The content of a secret's file. Raises CommandError."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as wrong:
        raise CommandError(f"cannot read {file}: {wrong.strerror}") from None


def write(file: Path, text: str, mode: int) -> None:
    """Replace a file atomically; until it has its ``mode``, only its owner can read it.

    Raises CommandError.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n" if text else "")
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError as wrong:
        raise CommandError(f"cannot write {file}: {wrong.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
