"""``ar-targets target``: the image targets of a project."""

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import click

from .. import ClientError
from ..fields import RATING_MAX, Status, as_json
from ..names import jpeg_name
from . import metadata as metadata_option
from .judged import stars
from .metadata import METRES, Metadata
from .output import Columns, note, show, show_one, write_file
from .session import Session, project_option, with_session
from .target_add import add
from .target_analysis import analysis, heatmap
from .target_check import check
from .target_export import export

LISTED: Columns = {
    "id": lambda target: target.id,
    "name": lambda target: target.name,
    "metres": lambda target: target.physical_width,
    "active": lambda target: target.active,
    "description": lambda target: target.description,
    "pixels": lambda target: f"{target.width}×{target.height}",
    "bytes": lambda target: target.size,
    "created": lambda target: target.created_at,
}
DELETED: Columns = {"deleted": lambda target: target.deleted_at}
ANALYSED: Columns = {
    "analysis": lambda target: target.analysis and target.analysis.status,
    "rating": lambda target: target.analysis and stars(target.analysis),
    "problems": lambda target: target.analysis and target.analysis.codes,
}
COLUMNS: Columns = dict(LISTED) | {
    "updated": lambda target: target.updated_at,
    "metadata": lambda target: None if target.metadata is None else as_json(target.metadata),
    "sha256": lambda target: target.sha256,
    "image": lambda target: target.image_url,
}


@click.group()
def target() -> None:
    """The image targets of a project, with one of its tokens."""


target.add_command(add)
target.add_command(analysis)
target.add_command(check)
target.add_command(export)
target.add_command(heatmap)


@target.command("list")
@project_option
@click.option("--name", help="The one with this name.")
@click.option("--name-prefix", metavar="BEGINNING", help="Those whose names begin so, by name.")
@click.option("--active/--inactive", default=None, help="Those alone that are active, or are not.")
@click.option("--sha256", metavar="HEX", help="Those whose JPEG has this checksum.")
@click.option("--deleted", is_flag=True, help="The deleted ones that can be restored.")
@click.option(
    "--analysis",
    type=click.Choice(["pending", "done", "failed"]),
    help="Those whose analysis has this status.",
)
@click.option(
    "--min-rating",
    "rating_min",
    type=click.IntRange(0, RATING_MAX),
    help="Those with so many stars or more, the best first.",
)
@click.option("--show-analysis", is_flag=True, help="Show what is known about their pictures, too.")
@click.option("--metadata", is_flag=True, help="With --json, show their metadata, too.")
@click.option("--limit", type=click.IntRange(1), help="List no more than so many.")
@with_session
def list_targets(
    session: Session,
    *,
    project: str | None,
    deleted: bool,
    analysis: Status | None,
    rating_min: int | None,
    show_analysis: bool,
    limit: int | None,
    **filters: Any,
) -> None:
    """List the targets, or those that all filters allow."""
    analysed = show_analysis or analysis is not None or rating_min is not None
    found = session.targets(project).list(
        deleted=deleted,
        analysis=analysis,
        rating_min=rating_min,
        with_analysis=analysed,
        **filters,
    )
    columns = {**LISTED, **(ANALYSED if analysed else {}), **(DELETED if deleted else {})}
    show(itertools.islice(found, limit), columns, as_json=session.as_json)


@target.command()
@project_option
@click.argument("target_id", type=int)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the image into this file; - for standard output.",
)
@click.option(
    "--image", "named", is_flag=True, help="Write the image into a file with the target's name."
)
@with_session
def get(
    session: Session, *, project: str | None, target_id: int, output: Path | None, named: bool
) -> None:
    """Show a target, or fetch its image."""
    if named and output is not None:
        raise click.UsageError("Choose --image or --output.")
    found = session.targets(project).get(target_id)
    image = found.image or b""
    if named:
        output = Path(jpeg_name(found.name, found.id))
        if os.path.lexists(output):
            raise ClientError(f"{output} is there already; name another file with --output")
    if str(output) == "-":
        sys.stdout.buffer.write(image)
        return
    if output is not None:
        write_file(output, image, replace=named)
    show_one(found, COLUMNS, as_json=session.as_json)


@target.command()
@project_option
@click.argument("target_id", type=int)
@click.option("--name", help="The new name.")
@click.option("--no-name", is_flag=True, help="Take the name away.")
@click.option("--description", help="The new description.")
@click.option("--physical-width", type=METRES, metavar="METRES", help="Of the printed picture.")
@click.option("--no-physical-width", is_flag=True, help="Take the width away.")
@click.option("--active/--inactive", default=None, help="Whether apps are to look for it.")
@metadata_option.option
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
    project: str | None,
    target_id: int,
    name: str | None,
    no_name: bool,
    description: str | None,
    physical_width: float | None,
    no_physical_width: bool,
    active: bool | None,
    metadata: Metadata | None,
    image: Path | None,
    if_match: str | None,
) -> None:
    """Change fields of a target; the others stay as they are."""
    if (name is not None and no_name) or (physical_width is not None and no_physical_width):
        raise click.UsageError("Give a field a value, or take it away, not both.")
    never_null = {
        "description": description,
        "active": active,
        "image": None if image is None else image.read_bytes(),
    }
    given: dict[str, Any] = {f: value for f, value in never_null.items() if value is not None}
    if name is not None or no_name:
        given["name"] = name
    if physical_width is not None or no_physical_width:
        given["physical_width"] = physical_width
    if metadata is not None:
        given["metadata"] = metadata.value
    if not given:
        raise click.UsageError("Say what to change, such as --name or --image: see --help.")
    targets = session.targets(project)
    changed = targets.update(target_id, **given, etag=if_match or targets.etag(target_id))
    show_one(changed, COLUMNS, as_json=session.as_json)


@target.command()
@project_option
@click.argument("target_id", type=int, nargs=-1, required=True)
@with_session
def rm(session: Session, *, project: str | None, target_id: tuple[int, ...]) -> None:
    """Delete targets."""
    targets = session.targets(project)
    for each in target_id:
        targets.delete(each)
        note(f"Deleted target {each}.")


@target.command()
@project_option
@click.argument("target_id", type=int, nargs=-1, required=True)
@with_session
def restore(session: Session, *, project: str | None, target_id: tuple[int, ...]) -> None:
    """Restore deleted targets."""
    targets = session.targets(project)
    for each in target_id:
        targets.restore(each)
        note(f"Restored target {each}.")
