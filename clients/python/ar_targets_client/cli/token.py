"""``ar-targets token``: the tokens of projects."""

import re

import click

from .. import Token
from ..record import rfc3339
from .output import Columns, note, show, show_one
from .session import Session, kept_projects, project_argument, with_session

LISTED: Columns = {
    "id": lambda token: token.id,
    "description": lambda token: token.description,
    "access": lambda token: token.access,
    "valid": lambda token: token.valid,
    "expires": lambda token: token.expires_at,
}
COLUMNS: Columns = dict(LISTED) | {"token": lambda token: token.token}
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Duration(click.ParamType[int]):
    """A duration in seconds, given as ``90``, ``12h`` or ``30d``."""

    name = "duration"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Parse the duration to seconds."""
        match = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write 90, 15m, 12h, 30d or 8w.", param, ctx)
        return int(match[1]) * SECONDS[match[2]]


@click.group()
def token() -> None:
    """The tokens of a project: for its apps to read with, and for the target commands.

    PROJECT is a project's id or its name; left out, it is your only one.
    """


@token.command()
@project_argument
@click.option(
    "--access",
    type=click.Choice(["read", "write"]),
    help="What it may do with targets. read, for an app that is shipped, is the default; write, "
    "for the target commands, with --keep.",
)
@click.option("--read-only", "access", flag_value="read", hidden=True)
@click.option("--ttl", type=Duration(), help="How long it lives; the server's default without.")
@click.option("--description", default="", help="What it is for.")
@click.option("--keep", is_flag=True, help="Keep it here for the target commands.")
@with_session
def add(
    session: Session,
    *,
    project: str | None,
    access: str | None,
    ttl: int | None,
    description: str,
    keep: bool,
) -> None:
    """Create a token.

    It is read-only, for an app that is shipped, unless it is kept here, or made with
    --access write. Whoever has an app can read its token, and do what that may do.
    """
    client = session.user()
    found = client.projects.get(session.project_id(project))
    allowed = access or ("write" if keep else "read")
    made = client.tokens(found.id).create(ttl=ttl, access=allowed, description=description)
    if keep:
        keep_token(session, found.name, made)
    show_one(made, COLUMNS, as_json=session.as_json)


@token.command("keep")
@project_argument
@click.argument("token_id", type=int)
@with_session
def keep_existing(session: Session, *, project: str | None, token_id: int) -> None:
    """Keep a token that exists here, for the target commands."""
    client = session.user()
    found = client.projects.get(session.project_id(project))
    keep_token(session, found.name, client.tokens(found.id).get(token_id))


@token.command("list")
@project_argument
@with_session
def list_tokens(session: Session, *, project: str | None) -> None:
    """List the tokens of a project. With --json, the tokens themselves are in it."""
    tokens = session.user().tokens(session.project_id(project))
    show(tokens.list(), LISTED, as_json=session.as_json)


@token.command()
@project_argument
@click.argument("token_id", type=int)
@with_session
def get(session: Session, *, project: str | None, token_id: int) -> None:
    """Show a token."""
    tokens = session.user().tokens(session.project_id(project))
    show_one(tokens.get(token_id), COLUMNS, as_json=session.as_json)


@token.command()
@project_argument
@click.argument("token_id", type=int)
@click.argument("ttl", type=Duration())
@with_session
def extend(session: Session, *, project: str | None, token_id: int, ttl: int) -> None:
    """Let a token, in apps that have it already, live for TTL from now."""
    tokens = session.user().tokens(session.project_id(project))
    extended = tokens.extend(token_id, ttl, etag=tokens.etag(token_id))
    show_one(extended, COLUMNS, as_json=session.as_json)


@token.command()
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="[PROJECT] TOKEN_ID...",
    shell_complete=kept_projects,
)
@with_session
def rm(session: Session, *, words: tuple[str, ...]) -> None:
    """Revoke tokens: they end at once, and for good.

    A single word is a token of your only project.
    """
    project, numbers = (None, words) if len(words) == 1 else (words[0], words[1:])
    token_ids = [int(click.INT(number)) for number in numbers]
    project_id = session.project_id(project)
    tokens = session.user().tokens(project_id)
    for each in token_ids:
        tokens.delete(each)
        kept = session.credentials.projects(session.server).get(project_id)
        if kept and kept["id"] == each:
            session.credentials.forget_token(session.server, project_id)
        note(f"Revoked token {each}.")


def keep_token(session: Session, project_name: str, made: Token) -> None:
    """Store a token in the credentials file."""
    session.credentials.keep_token(
        session.server,
        made.project_id,
        {
            "name": project_name,
            "id": made.id,
            "token": made.token,
            "expires_at": rfc3339(made.expires_at),
        },
    )
    note(f"Token {made.id} is kept for the targets of project {project_name}.")
