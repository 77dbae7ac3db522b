"""``ar-targets target export``: a project's targets as a folder."""

from pathlib import Path

import click

from ..export import Export
from .output import note, plural, show_json
from .progress import Progress
from .session import Session, project_option, with_session


@click.command()
@project_option
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["json", "csv"]),
    default="json",
    show_default=True,
    help="Of the manifest.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Side by side."
)
@click.option("--overwrite", is_flag=True, help="Replace what is in the folder.")
@with_session
def export(
    session: Session,
    *,
    project: str | None,
    folder: Path,
    suffix: str,
    parallel: int,
    overwrite: bool,
) -> None:
    """Write all images and a manifest into FOLDER, which 'target add' reads again.

    After an interruption, the same command fetches the rest.
    """
    targets = session.targets(project)
    records = list(targets.list(metadata=True))
    with Progress(len(records), hidden=session.as_json) as progress:
        exported = Export(
            targets,
            folder,
            manifest_name=f"manifest.{suffix}",
            parallel=parallel,
            overwrite=overwrite,
            on_target=lambda target: progress.advance(f"{target.id}.jpg"),
        )
        written = exported.run(records)
    if session.as_json:
        show_json({"manifest": str(exported.manifest), "targets": len(written)})
    else:
        note(f"{plural(len(written), 'image')} and {exported.manifest}.")
