"""``ar-targets project``."""

import click

from .. import ClientError
from ..names import folded
from ..projects import Projects
from .output import Columns, confirm, note, show, show_one
from .session import Session, is_id, project_argument, with_session

COLUMNS: Columns = {
    "id": lambda project: project.id,
    "name": lambda project: project.name,
    "created": lambda project: project.created_at,
    "updated": lambda project: project.updated_at,
}
DELETED: Columns = dict(COLUMNS) | {"deleted": lambda project: project.deleted_at}


SHARED: Columns = dict(COLUMNS) | {"role": lambda project: project.role}
USAGE: Columns = {
    "targets": lambda usage: of_limit(usage.targets, usage.limits.targets),
    "bytes": lambda usage: of_limit(usage.bytes, usage.limits.bytes),
}


@click.group()
def project() -> None:
    """Your projects. PROJECT is a project's id or its name; left out, it is your only one."""


@project.command()
@click.argument("name")
@with_session
def add(session: Session, *, name: str) -> None:
    """Create a project."""
    show_one(session.user().projects.create(name), COLUMNS, as_json=session.as_json)


@project.command("list")
@click.option("--deleted", is_flag=True, help="The deleted ones that can be restored.")
@click.option("--member", is_flag=True, help="Those that others share with you.")
@with_session
def list_projects(session: Session, *, deleted: bool, member: bool) -> None:
    """List your projects."""
    if deleted and member:
        raise click.UsageError("Only owners restore projects: --deleted or --member.")
    found = session.user().projects.list(deleted=deleted, member=member)
    columns = DELETED if deleted else SHARED if member else COLUMNS
    show(found, columns, as_json=session.as_json)


@project.command()
@project_argument
@with_session
def get(session: Session, *, project: str | None) -> None:
    """Show a project."""
    found = session.user().projects.get(session.project_id(project))
    show_one(found, COLUMNS, as_json=session.as_json)


@project.command()
@project_argument
@with_session
def usage(session: Session, *, project: str | None) -> None:
    """Show what a project's targets take, and the limits.

    What is deleted counts until it is purged. The limit of bytes is that of all
    projects of the owner together.
    """
    found = session.user().projects.usage(session.project_id(project))
    show_one(found, USAGE, as_json=session.as_json)


@project.command()
@project_argument
@click.argument("name")
@with_session
def rename(session: Session, *, project: str | None, name: str) -> None:
    """Give a project another name."""
    projects = session.user().projects
    found = projects.get(session.project_id(project))
    renamed = projects.update(found.id, name=name, etag=found.etag)
    kept = session.credentials.projects(session.server).get(found.id)
    if kept:
        session.credentials.keep_token(session.server, found.id, kept | {"name": renamed.name})
    show_one(renamed, COLUMNS, as_json=session.as_json)


@project.command()
@project_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_session
def rm(session: Session, *, project: str | None, yes: bool) -> None:
    """Delete a project with its tokens and targets."""
    if project is None and yes:
        raise click.UsageError("With --yes, name the project.")
    projects = session.user().projects
    found = projects.get(session.project_id(project))
    confirm(f"Delete project {found.name} ({found.id}) with its tokens and targets?", yes=yes)
    projects.delete(found.id)
    session.credentials.forget_token(session.server, found.id)
    note(f"Deleted project {found.name} ({found.id}).")


@project.command()
@click.argument("project")
@with_session
def restore(session: Session, *, project: str) -> None:
    """Restore a deleted project with the tokens and targets that it had."""
    projects = session.user().projects
    project_id = int(project) if is_id(project) else deleted_id(projects, project)
    show_one(projects.restore(project_id), COLUMNS, as_json=session.as_json)


def of_limit(used: int, limit: int) -> str:
    """How much of a limit is used."""
    return f"{used:,} of {limit:,}"


def deleted_id(projects: Projects, name: str) -> int:
    """The id of the only deleted project with that name. Raises ClientError."""
    found = [p.id for p in projects.list(deleted=True) if folded(p.name) == folded(name)]
    if len(found) > 1:
        ids = ", ".join(map(str, found))
        raise ClientError(f"several deleted projects are called {name!r}, name the id: {ids}")
    if not found:
        raise ClientError(f"you have deleted no project {name!r}; see project list --deleted")
    return found[0]
