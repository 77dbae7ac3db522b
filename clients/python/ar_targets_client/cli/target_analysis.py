"""``ar-targets target analysis`` and ``heatmap``: what is known about a target's picture."""

import sys
from pathlib import Path

import click

from .failure import NO_ANSWER
from .judged import JUDGED, show_problems
from .output import Columns, note, show_one, write_file
from .session import Session, project_option, with_session

COLUMNS: Columns = {
    "status": lambda analysis: analysis.status,
    **JUDGED,
    "analysed": lambda analysis: analysis.analysed_at,
    "version": lambda analysis: analysis.version,
    "heat map": lambda analysis: analysis.heatmap_url,
}


@click.command()
@project_option
@click.argument("target_id", type=int)
@click.option("--wait", is_flag=True, help="Wait until the picture is analysed.")
@click.option(
    "--timeout",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait.",
)
@click.option("--again", is_flag=True, help="Have the picture analysed again first.")
@with_session
def analysis(
    session: Session,
    *,
    project: str | None,
    target_id: int,
    wait: bool,
    timeout: int,
    again: bool,
) -> None:
    """Show what is known about a target's picture: its rating, its problems, what resembles it.

    Ends with 5 if it is still pending after --wait.
    """
    targets = session.targets(project)
    found = targets.retry_analysis(target_id) if again else None
    if found is None or wait:
        found = targets.analysis(target_id, wait=timeout if wait else None)
    show_one(found, COLUMNS, as_json=session.as_json)
    if not session.as_json:
        show_problems([("", found)])
    if wait and found.status == "pending":
        note(f"Still pending after {timeout} s.")
        click.get_current_context().exit(NO_ANSWER)


@click.command()
@project_option
@click.argument("target_id", type=int)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the PNG into this file; - for standard output.",
)
@click.option("--overlay", is_flag=True, help="Lay it over the picture.")
@with_session
def heatmap(
    session: Session, *, project: str | None, target_id: int, output: Path, overlay: bool
) -> None:
    """Fetch a picture of where a target's picture is held well, and where it is not."""
    image = session.targets(project).heatmap(target_id, overlay=overlay)
    if str(output) == "-":
        sys.stdout.buffer.write(image)
    else:
        write_file(output, image)
