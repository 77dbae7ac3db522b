"""``ar-targets user``."""

import click

from .. import Client, ClientError, User
from . import password
from .output import Columns, confirm, note, show, show_one
from .session import Session, with_session

COLUMNS: Columns = {
    "id": lambda user: user.id,
    "login": lambda user: user.login,
    "created": lambda user: user.created_at,
}


@click.group()
def user() -> None:
    """The users of the server."""


@user.command()
@click.argument("name", metavar="LOGIN")
@password.option
@with_session
def add(session: Session, *, name: str, password_stdin: bool) -> None:
    """Create a user; asks for the password."""
    secret = password.read(from_stdin=password_stdin, confirm=True)
    made = session.anyone().users.create(name, secret)
    show_one(made, COLUMNS, as_json=session.as_json)


@user.command("list")
@with_session
def list_users(session: Session) -> None:
    """List the users that you may see."""
    show(session.anyone().users.list(), COLUMNS, as_json=session.as_json)


@user.command("password")
@click.argument("name", metavar="LOGIN")
@password.option
@with_session
def set_password(session: Session, *, name: str, password_stdin: bool) -> None:
    """Set a user's password, which ends the user's tokens."""
    client = session.anyone()
    found = find(client, name)
    secret = password.read(from_stdin=password_stdin, confirm=True)
    changed = client.users.update(found.id, password=secret, etag=client.users.etag(found.id))
    kept = session.credentials.login(session.server)
    if kept and kept["login"] == name:
        session.credentials.forget_login(session.server)
        note("The password is set, and your login has ended: ar-targets login")
    show_one(changed, COLUMNS, as_json=session.as_json)


@user.command()
@click.argument("name", metavar="LOGIN")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_session
def rm(session: Session, *, name: str, yes: bool) -> None:
    """Delete a user with all projects."""
    client = session.anyone()
    found = find(client, name)
    confirm(f"Delete user {found.login} with all projects?", yes=yes)
    client.users.delete(found.id)
    note(f"Deleted user {found.login} ({found.id}).")


def find(client: Client, name: str) -> User:
    """The user with that login. Raises ClientError."""
    for found in client.users.list():
        if found.login.casefold() == name.casefold():
            return found
    raise ClientError(f"there is no user {name!r} whom you may see; see 'ar-targets user list'")
