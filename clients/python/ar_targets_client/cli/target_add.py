"""``ar-targets target add``: upload images, folders and manifests."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

from .. import convert as conversion
from ..fields import RATING_MAX
from ..journal import Journal
from ..rows import Common, Row
from ..sources import journal_of, rows_of
from ..upload import Outcome, Result, Upload, count
from . import metadata as metadata_option
from .failure import FAILED, SOME_FAILED, exit_code
from .metadata import METRES, Metadata
from .output import cell, new_table, note, plural, print_table, show_json_array
from .progress import Progress
from .session import Session, project_option, with_session

REMEDY = "choose another, or add --skip-existing to leave it out, or --replace for its image"


@click.command()
@project_option
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@click.option("--name", help="The target's, for a single file; by default the file's.")
@click.option("--description", help="Of the targets.")
@click.option("--physical-width", type=METRES, metavar="METRES", help="Of the printed pictures.")
@click.option("--inactive", is_flag=True, help="Apps are not to look for them yet.")
@metadata_option.option
@click.option("--recursive", "-r", is_flag=True, help="Go into the folders of a folder.")
@click.option("--convert", is_flag=True, help="Convert PNG, WebP and HEIC to JPEG.")
@click.option(
    "--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Side by side."
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Leave out files whose name is taken, and pictures that the project has without one.",
)
@click.option(
    "--replace", is_flag=True, help="Where a name is taken, replace that target's image alone."
)
@click.option(
    "--min-rating",
    type=click.IntRange(0, RATING_MAX),
    help="Check each picture first, and refuse those with fewer stars.",
)
@click.option(
    "--no-similar", is_flag=True, help="Refuse pictures that may be taken for other targets."
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to record what is done; by default beside the manifest, or in the folder.",
)
@with_session
def add(
    session: Session,
    *,
    project: str | None,
    sources: tuple[Path, ...],
    name: str | None,
    description: str | None,
    physical_width: float | None,
    inactive: bool,
    metadata: Metadata | None,
    recursive: bool,
    convert: bool,
    parallel: int,
    skip_existing: bool,
    replace: bool,
    min_rating: int | None,
    no_similar: bool,
    journal: Path | None,
) -> None:
    """Upload JPEGs.

    A SOURCE is a JPEG, a folder of JPEGs, or a manifest: a CSV or JSON file
    with "file" for each image and, if you like, "name", "description",
    "physical_width", "active", "metadata" and "sha256". A folder with a
    manifest.csv or manifest.json is taken as that says.

    A target's name is that of its file, without folder and suffix, if the
    manifest has no names. Options are for what the manifest does not say.

    Of a manifest or a folder, a journal records what is done: after an
    interruption, the same command does the rest.

    Ends with 1 if a picture is refused by --min-rating or --no-similar.
    """
    if skip_existing and replace:
        raise click.UsageError("Choose --skip-existing or --replace.")
    if no_similar and replace:
        raise click.UsageError("--no-similar is for what is added, not for --replace.")
    if convert:
        conversion.require()
    common: Common = {"active": not inactive, "convert": convert, "physical_width": physical_width}
    if description is not None:
        common["description"] = description
    if metadata is not None:
        common["metadata"] = metadata.value
    rows = [
        row
        for source in sources
        for row in rows_of(source, common, recursive=recursive, on_skip=tell_skipped)
    ]
    if name is not None:
        rows = [dataclasses.replace(only(rows), target_name=name)]
    kept = journal or journal_of(sources)
    targets = session.targets(project)
    with Journal(kept) as opened, Progress(len(rows), hidden=session.as_json) as progress:

        def tell(result: Result) -> None:
            progress.advance(result.row.name)
            tell_result(result)

        upload = Upload(
            targets,
            opened,
            parallel=parallel,
            skip_existing=skip_existing,
            replace=replace,
            min_rating=min_rating,
            allow_similar=not no_similar,
            on_result=tell,
        )
        results = upload.run(rows)
    report(results, as_json=session.as_json)
    finish(upload, results, resumable=kept is not None)


def only(rows: Sequence[Row]) -> Row:
    """The only row. Raises UsageError if there are several."""
    if len(rows) != 1:
        raise click.UsageError("--name is for a single file; a manifest can name several.")
    return rows[0]


def tell_skipped(name: str, reason: str) -> None:
    """Print which file of a source is left out."""
    note(f"{name}: {reason}")


def tell_result(result: Result) -> None:
    """Print what became of a row, if that is not simply what was asked for."""
    name = result.row.name
    if result.converted:
        note(f"{name}: converted from {result.converted} to JPEG")
    if result.outcome in (Outcome.FAILED, Outcome.LOW, Outcome.SIMILAR):
        note(f"{name}: {result.reason}")
    elif result.outcome is Outcome.TAKEN:
        note(f"{name}: {result.reason}; {REMEDY}")
    elif result.outcome is Outcome.PRESENT:
        note(f"{name}: left out, {result.reason or f'target {result.target_id} has it'}")


def report(results: list[Result], *, as_json: bool) -> None:
    """Print the outcome of each row."""
    if as_json:
        show_json_array(
            {
                "file": result.row.name,
                "outcome": result.outcome,
                "id": result.target_id,
                "reason": result.reason,
                "name": result.row.target_name,
                "converted": result.converted,
                "similar": [each.as_json() for each in result.similar],
            }
            for result in results
        )
        return
    table = new_table(["id", "file", "outcome"])
    for result in results:
        if result.target_id is not None:
            table.add_row(
                cell(result.target_id), cell(result.row.name, whole=True), cell(result.outcome)
            )
    print_table(table)


def finish(upload: Upload, results: list[Result], *, resumable: bool) -> None:
    """Print a summary, and exit with the status that matches it."""
    numbers = [f"{n} {outcome}" for outcome in Outcome if (n := count(results, outcome))]
    note(f"{plural(len(results), 'image')}: {', '.join(numbers)}.")
    ctx = click.get_current_context()
    if upload.stopped_by is not None:
        tell_rest([r.row for r in results if r.outcome is Outcome.LEFT], resumable=resumable)
        note(f"Error: {str(upload.stopped_by) or 'interrupted'}")
        ctx.exit(exit_code(upload.stopped_by))
    if count(results, Outcome.LOW, Outcome.SIMILAR):
        ctx.exit(FAILED)
    if count(results, Outcome.FAILED, Outcome.TAKEN):
        ctx.exit(SOME_FAILED)


def tell_rest(left: list[Row], *, resumable: bool) -> None:
    """Print how to resume the upload."""
    if resumable:
        note("Run the same command again to do the rest.")
    elif left:
        note(f"Not done: {' '.join(row.name for row in left)}")
        note("Add --skip-existing to a second try: what has arrived is then not sent again.")
