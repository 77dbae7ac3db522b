"""How tables show what is known about pictures."""

from collections.abc import Iterable

import click

from .. import Analysis, Problem
from ..analysis import named
from ..fields import RATING_MAX
from .output import Columns, cell, new_table, print_table


def stars(analysis: Analysis) -> str | None:
    """The rating, as stars and as a number; None if there is none."""
    rating = analysis.rating
    return None if rating is None else f"{'★' * rating}{'☆' * (RATING_MAX - rating)} {rating}"


def where(problem: Problem) -> str | None:
    """The part of the picture that has a problem, as ``400×300 at 20, 10``; None for all of it."""
    if problem.area is None:
        return None
    x, y, width, height = problem.area
    return f"{width}×{height} at {x}, {y}"


JUDGED: Columns = {
    "rating": stars,
    "trackability": lambda analysis: analysis.trackability,
    "features": lambda analysis: analysis.features,
    "problems": lambda analysis: analysis.codes,
    "similar": lambda analysis: named(analysis.similar),
}
PROBLEM: Columns = {
    "severity": lambda problem: problem.severity,
    "problem": lambda problem: problem.code,
    "where": where,
    "what it is": lambda problem: problem.description,
    "what helps": lambda problem: problem.remedy,
}


def show_problems(found: Iterable[tuple[str, Analysis]]) -> None:
    """Print the problems of pictures in sentences, each with the picture's name, if it has one."""
    rows = [(name, problem) for name, each in found for problem in each.problems]
    named = any(name for name, _ in rows)
    table = new_table([*(["file"] if named else []), *PROBLEM])
    for name, problem in rows:
        told = [value(problem) for value in PROBLEM.values()]
        table.add_row(*(cell(value, whole=True) for value in ([name] if named else []) + told))
    if rows:
        click.echo()
    print_table(table)
