"""``ar-targets target``: the image targets of a project."""

import itertools
import sys
from pathlib import Path

import click

from .. import ClientError
from .output import Columns, note, show, show_one
from .session import Session, project_option, with_session
from .target_add import add
from .target_export import export

LISTED: Columns = {
    "id": lambda target: target.id,
    "description": lambda target: target.description,
    "width": lambda target: target.width,
    "height": lambda target: target.height,
    "bytes": lambda target: target.size,
    "created": lambda target: target.created_at,
}
COLUMNS: Columns = dict(LISTED) | {
    "updated": lambda target: target.updated_at,
    "sha256": lambda target: target.sha256,
    "image": lambda target: target.image_url,
}


@click.group()
def target() -> None:
    """The image targets of a project, with one of its tokens."""


target.add_command(add)
target.add_command(export)


@target.command("list")
@project_option
@click.option("--limit", type=click.IntRange(1), help="List no more than so many.")
@with_session
def list_targets(session: Session, *, project: str, limit: int | None) -> None:
    """List the targets."""
    records = itertools.islice(session.targets(project).list(), limit)
    show(records, LISTED, as_json=session.as_json)


@target.command()
@project_option
@click.argument("target_id", type=int)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the image into this file; - for standard output.",
)
@with_session
def get(session: Session, *, project: str, target_id: int, output: Path | None) -> None:
    """Show a target, or fetch its image."""
    found = session.targets(project).get(target_id)
    image = found.image or b""
    if str(output) == "-":
        sys.stdout.buffer.write(image)
        return
    if output is not None:
        try:
            output.write_bytes(image)
        except OSError as failed:
            raise ClientError(f"{output} cannot be written: {failed.strerror}") from None
        note(f"{output}: {len(image)} bytes")
    show_one(found, COLUMNS, as_json=session.as_json)


@target.command()
@project_option
@click.argument("target_id", type=int)
@click.option("--description", help="The new description.")
@click.option(
    "--image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The JPEG to put in place of the present one.",
)
@click.option("--if-match", metavar="ETAG", help="Only if the target still has this entity tag.")
@with_session
def update(
    session: Session,
    *,
    project: str,
    target_id: int,
    description: str | None,
    image: Path | None,
    if_match: str | None,
) -> None:
    """Change a target's description, image, or both."""
    if description is None and image is None:
        raise click.UsageError("Say what to change: --description, --image, or both.")
    targets = session.targets(project)
    changed = targets.update(
        target_id,
        description=description,
        image=None if image is None else image.read_bytes(),
        etag=if_match or targets.etag(target_id),
    )
    show_one(changed, COLUMNS, as_json=session.as_json)


@target.command()
@project_option
@click.argument("target_id", type=int, nargs=-1, required=True)
@with_session
def rm(session: Session, *, project: str, target_id: tuple[int, ...]) -> None:
    """Delete targets."""
    targets = session.targets(project)
    for each in target_id:
        targets.delete(each)
        note(f"Deleted target {each}.")


@target.command()
@project_option
@click.argument("target_id", type=int, nargs=-1, required=True)
@with_session
def restore(session: Session, *, project: str, target_id: tuple[int, ...]) -> None:
    """Restore deleted targets."""
    targets = session.targets(project)
    for each in target_id:
        targets.restore(each)
        note(f"Restored target {each}.")
