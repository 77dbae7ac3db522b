"""``ar-targets target check``: how well pictures could be tracked, before they are uploaded."""

from collections.abc import Sequence
from pathlib import Path

import click

from .. import convert as conversion
from ..check import Checked, check_all
from ..fields import RATING_MAX
from ..rows import Common
from ..sources import rows_of
from .failure import FAILED, SOME_FAILED
from .judged import JUDGED, show_problems
from .output import cell, new_table, note, plural, print_table, show_json_array
from .progress import Progress
from .session import Session, project_option, with_session
from .target_add import tell_skipped


@click.command()
@project_option
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@click.option(
    "--min-rating",
    type=click.IntRange(0, RATING_MAX),
    help="End with 1 if a picture has fewer stars.",
)
@click.option("--problems", is_flag=True, help="Tell what the problems are, and what helps.")
@click.option("--recursive", "-r", is_flag=True, help="Go into the folders of a folder.")
@click.option("--convert", is_flag=True, help="Convert PNG, WebP and HEIC to JPEG.")
@click.option(
    "--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Side by side."
)
@with_session
def check(
    session: Session,
    *,
    project: str | None,
    sources: tuple[Path, ...],
    min_rating: int | None,
    problems: bool,
    recursive: bool,
    convert: bool,
    parallel: int,
) -> None:
    """Show how well JPEGs could be tracked. Nothing is stored.

    A SOURCE is a JPEG, a folder of JPEGs, or a manifest, as for 'target add'.
    Each picture is compared with the targets of the project, too.

    Ends with 1 if a picture has fewer stars than --min-rating, with 3 if
    some cannot be checked.
    """
    if convert:
        conversion.require()
    common: Common = {"convert": convert}
    rows = [
        row
        for source in sources
        for row in rows_of(source, common, recursive=recursive, on_skip=tell_skipped)
    ]
    results: list[Checked] = []
    try:
        with Progress(len(rows), hidden=session.as_json) as progress:
            for checked in check_all(session.targets(project), rows, parallel=parallel):
                progress.advance(checked.row.name)
                tell_checked(checked, min_rating)
                results.append(checked)
    finally:
        # Before an error that ends it, what is known.
        if results:
            report(results, problems=problems, as_json=session.as_json)
    finish(results, min_rating)


def tell_checked(checked: Checked, min_rating: int | None) -> None:
    """Print what is wrong with a row, if there is something."""
    name = checked.row.name
    if checked.converted:
        note(f"{name}: converted from {checked.converted} to JPEG")
    if checked.analysis is None:
        note(f"{name}: {checked.reason}")
    elif why := checked.analysis.why_below(min_rating):
        note(f"{name}: {why}")


def report(results: Sequence[Checked], *, problems: bool, as_json: bool) -> None:
    """Print what is found out about each row."""
    if as_json:
        show_json_array(
            {
                "file": checked.row.name,
                "analysis": checked.analysis and checked.analysis.as_json(),
                "reason": checked.reason,
                "converted": checked.converted,
            }
            for checked in results
        )
        return
    found = [(each.row.name, each.analysis) for each in results if each.analysis is not None]
    table = new_table(["file", *JUDGED])
    for name, analysis in found:
        values = (name, *(value(analysis) for value in JUDGED.values()))
        table.add_row(*(cell(value, whole=True) for value in values))
    print_table(table)
    if problems:
        show_problems(found)


def finish(results: Sequence[Checked], min_rating: int | None) -> None:
    """Print a summary, and exit with the status that matches it."""
    found = [each.analysis for each in results if each.analysis is not None]
    below = sum(each.why_below(min_rating) is not None for each in found)
    failed = len(results) - len(found)
    counted = {f"below {min_rating}": below, "failed": failed}
    numbers = [f"{len(found)} checked", *(f"{n} {what}" for what, n in counted.items() if n)]
    note(f"{plural(len(results), 'image')}: {', '.join(numbers)}.")
    ctx = click.get_current_context()
    if below:
        ctx.exit(FAILED)
    if failed:
        ctx.exit(SOME_FAILED)
