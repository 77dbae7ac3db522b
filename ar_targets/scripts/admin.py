"""``ar_targets_admin``: create an administrator, or set a user's password.

``first`` creates one only if there is none yet, for automated installations.

The password is prompted for at the terminal, twice and without echo, or read from
the first line of standard input: never from the command line, which other users of
the machine can see.
"""

import argparse
import functools
import getpass
import sys

from sqlalchemy.exc import IntegrityError

from ..auth import passwords
from ..db.engine import make_engine
from ..db.session import Database, in_transaction, transaction_scope
from ..models import user as users
from ..schemas.user import UserBody
from .command import CommandError, parser, run, settings_of


def main(argv: list[str] | None = None) -> int:
    """The console script."""
    made = parser("Create an administrator, or set somebody's password.")
    made.add_argument("action", choices=("create", "first", "password"))
    made.add_argument("login")
    arguments = made.parse_args(argv)
    return run(lambda: work(arguments))


def work(arguments: argparse.Namespace) -> None:
    """Ask for the password, then create the user or change the password."""
    engine = make_engine(settings_of(arguments.ini))
    if arguments.action == "first":
        with transaction_scope(engine) as db:
            if users.has_administrator(db):
                print("there is an administrator")
                return
    fields = checked({"login": arguments.login, "password": read_password()})
    act = set_password if arguments.action == "password" else create
    login, password_hash = fields["login"], passwords.hash_password(fields["password"])
    scope = functools.partial(transaction_scope, engine)
    print(in_transaction(scope, lambda db: act(db, login, password_hash)))


def read_password() -> str:
    """Read the password, without echo at a terminal. Raises CommandError."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("The same again: "):
        raise CommandError("the two passwords differ; nothing was changed")
    return password


def checked(fields: dict[str, str]) -> dict[str, str]:
    """The login and password, validated with the API's schema. Raises CommandError."""
    loaded, wrong = UserBody().load(fields)
    if wrong:
        name, description = next(iter(wrong.items()))
        raise CommandError(f"{name}: {description}")
    return loaded


def create(db: Database, login: str, password_hash: str) -> str:
    """Create an administrator; the message to print. Raises CommandError."""
    try:
        made = users.create(db, login, password_hash, is_admin=True)
    except IntegrityError:
        raise CommandError(
            f"a user {login!r} exists; choose another login, or set the password of that one"
        ) from None
    return f"created administrator {login!r} (id {made.id})"


def set_password(db: Database, login: str, password_hash: str) -> str:
    """Set a password, which ends the user's tokens; the message to print. Raises CommandError."""
    found = users.credentials(db, login)
    if found is None or not users.change(db, found.id, password_hash=password_hash):
        raise CommandError(f"there is no user {login!r}")
    return f"set the password of {login!r}; its tokens have ended"


if __name__ == "__main__":
    sys.exit(main())
