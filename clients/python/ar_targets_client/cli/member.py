"""``ar-targets member``: with whom projects are shared."""

import click

from .. import ClientError, Member
from ..members import Members
from ..names import folded
from .output import Columns, confirm, note, show, show_one
from .session import Session, kept_projects, project_argument, with_session

COLUMNS: Columns = {
    "user": lambda member: member.user_id,
    "login": lambda member: member.login,
    "role": lambda member: member.role,
    "since": lambda member: member.created_at,
}
ROLES = click.Choice(["editor", "viewer"])


@click.group()
def member() -> None:
    """With whom a project is shared. A member has tokens of its own for it.

    PROJECT is a project's id or its name; left out, it is your only one.
    """


@member.command("list")
@project_argument
@with_session
def list_members(session: Session, *, project: str | None) -> None:
    """List the members of a project."""
    show(members_of(session, project).list(), COLUMNS, as_json=session.as_json)


@member.command()
@project_argument
@click.argument("login")
@click.option(
    "--role",
    type=ROLES,
    default="viewer",
    show_default=True,
    help="Which tokens the member may make: an editor any, a viewer none that writes.",
)
@with_session
def add(session: Session, *, project: str | None, login: str, role: str) -> None:
    """Share a project with the user LOGIN."""
    made = members_of(session, project).add(login, role)
    show_one(made, COLUMNS, as_json=session.as_json)


@member.command()
@project_argument
@click.argument("login")
@click.argument("role", type=ROLES, metavar="editor|viewer")
@with_session
def role(session: Session, *, project: str | None, login: str, role: str) -> None:
    """Give a member another role; a lower one revokes the tokens that it does not allow."""
    members = members_of(session, project)
    found = find(members, login)
    changed = members.change_role(found.user_id, role, etag=members.etag(found.user_id))
    show_one(changed, COLUMNS, as_json=session.as_json)


@member.command()
@project_argument
@click.argument("login")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_session
def rm(session: Session, *, project: str | None, login: str, yes: bool) -> None:
    """End a membership, and revoke the member's tokens."""
    if project is None and yes:
        raise click.UsageError("With --yes, name the project.")
    members = members_of(session, project)
    found = find(members, login)
    confirm(f"End the membership of {found.login}, and revoke the member's tokens?", yes=yes)
    members.remove(found.user_id)
    note(f"{found.login} is no longer a member.")


@member.command()
@click.argument("project", shell_complete=kept_projects)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_session
def leave(session: Session, *, project: str, yes: bool) -> None:
    """Leave a project that is shared with you; your tokens for it are revoked."""
    project_id = session.project_id(project)
    members = session.user().members(project_id)
    confirm(f"Leave project {project}, and revoke your tokens for it?", yes=yes)
    members.leave()
    session.credentials.forget_token(session.server, project_id)
    note(f"You have left project {project}.")


def members_of(session: Session, project: str | None) -> Members:
    """The members of a project, given by id or name."""
    return session.user().members(session.project_id(project))


def find(members: Members, login: str) -> Member:
    """The member with that login. Raises ClientError."""
    for found in members.list():
        if folded(found.login) == folded(login):
            return found
    raise ClientError(f"there is no member {login!r}; see 'ar-targets member list'")
