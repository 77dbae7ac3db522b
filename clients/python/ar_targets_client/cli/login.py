"""``ar-targets login``, ``logout`` and ``status``."""

import sys

import click

from ..record import rfc3339
from . import password
from .output import cell, note, print_table, show_json
from .output import new_table as new
from .session import Session, with_session


@click.command()
@click.argument("name", required=False, metavar="[LOGIN]")
@password.option
@with_session
def login(session: Session, *, name: str | None, password_stdin: bool) -> None:
    """Log in, and keep the token for the commands that follow."""
    server = session.server
    if name is None:
        if not sys.stdin.isatty():
            raise click.UsageError("Name the login: ar-targets login LOGIN")
        name = str(click.prompt("Login", err=True))
    secret = password.read(from_stdin=password_stdin)
    made = session.client(None).login(name, secret)
    kept = {"login": name, "token": made.token, "expires_at": rfc3339(made.expires_at)}
    session.credentials.keep_login(server, kept)
    if session.as_json:
        show_json({"server": server, "login": name, "expires_at": kept["expires_at"]})
    else:
        note(f"Logged in at {server} as {name}, until {cell(made.expires_at)}.")


@click.command()
@with_session
def logout(session: Session) -> None:
    """Forget the login and the project tokens of the server. They stay valid until they expire."""
    session.credentials.forget(session.server)
    note(f"Forgot all tokens of {session.server}.")


@click.command()
@with_session
def status(session: Session) -> None:
    """Show the server and the tokens that are kept, without asking the server."""
    kept = session.credentials.login(session.server)
    projects = session.credentials.projects(session.server)
    if session.as_json:
        show_json(
            {
                "server": session.server,
                "login": kept and {n: t for n, t in kept.items() if n != "token"},
                "projects": [
                    {"project_id": project_id} | {n: t for n, t in token.items() if n != "token"}
                    for project_id, token in projects.items()
                ],
                "file": str(session.credentials.path),
            }
        )
        return
    who = f"{kept['login']}, until {kept['expires_at']}" if kept else "nobody"
    click.echo(f"Server: {session.server}\nLogged in: {who}\nKept in: {session.credentials.path}")
    table = new(["project", "name", "token", "expires"])
    for project_id, token in projects.items():
        named = (project_id, token["name"], token["id"], token["expires_at"])
        table.add_row(*map(cell, named))
    print_table(table)
