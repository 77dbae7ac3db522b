"""``ar-targets target add``: upload images, folders and manifests."""

from pathlib import Path

import click

from ..journal import Journal
from ..rows import Row
from ..sources import journal_of, rows_of
from ..upload import Outcome, Result, Upload, count
from .failure import SOME_FAILED, exit_code
from .output import cell, new_table, note, plural, print_table, show_json_array
from .progress import Progress
from .session import Session, project_option, with_session


@click.command()
@project_option
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@click.option("--description", default="", help="For files that no manifest describes.")
@click.option(
    "--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Side by side."
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Leave out what the project has already: same picture and description.",
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
    project: str,
    sources: tuple[Path, ...],
    description: str,
    parallel: int,
    skip_existing: bool,
    journal: Path | None,
) -> None:
    """Upload JPEGs.

    A SOURCE is a JPEG, a folder of JPEGs, or a manifest: a CSV or JSON file
    with "file" and "description" for each image. A folder with a manifest.csv
    or manifest.json is taken as that says.

    Of a manifest or a folder, a journal records what is done: after an
    interruption, the same command does the rest.
    """
    rows = [row for source in sources for row in rows_of(source, description)]
    kept = journal or journal_of(sources)
    targets = session.targets(project)
    with Journal(kept) as opened, Progress(len(rows), hidden=session.as_json) as progress:

        def tell(result: Result) -> None:
            progress.advance(result.row.name)
            if result.outcome is Outcome.FAILED:
                note(f"{result.row.name}: {result.reason}")

        upload = Upload(
            targets, opened, parallel=parallel, skip_existing=skip_existing, on_result=tell
        )
        results = upload.run(rows)
    report(results, as_json=session.as_json)
    finish(upload, results, resumable=kept is not None)


def report(results: list[Result], *, as_json: bool) -> None:
    """Print the outcome of each row."""
    if as_json:
        show_json_array(
            {
                "file": result.row.name,
                "outcome": result.outcome,
                "id": result.target_id,
                "reason": result.reason,
            }
            for result in results
        )
        return
    table = new_table(["id", "file", "outcome"])
    for result in results:
        if result.outcome in (Outcome.ADDED, Outcome.DONE, Outcome.PRESENT):
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
    if count(results, Outcome.FAILED):
        ctx.exit(SOME_FAILED)


def tell_rest(left: list[Row], *, resumable: bool) -> None:
    """Print how to resume the upload."""
    if resumable:
        note("Run the same command again to do the rest.")
    elif left:
        note(f"Not done: {' '.join(row.name for row in left)}")
        note("Add --skip-existing to a second try: what has arrived is then not sent again.")
