"""What commands print: tables for people, JSON for scripts. Messages go to standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..display import plain
from ..errors import ClientError
from ..files import replacing
from ..record import Record

# Width of a table that is not for a terminal: nothing is truncated.
WIDE = 10_000
# Maximum characters of a text in a table on a terminal.
SHOWN = 60

# The title of a column → the function that returns its value for a record.
Columns = Mapping[str, Callable[[Any], object]]


def show(records: Iterable[Record], columns: Columns, *, as_json: bool) -> None:
    """Print a list of records."""
    if as_json:
        show_json_array(record.as_json() for record in records)
        return
    table = new_table(columns)
    for record in records:
        table.add_row(*(cell(value(record)) for value in columns.values()))
    print_table(table, empty="There are none.")


def show_one(record: Record, columns: Columns, *, as_json: bool) -> None:
    """Print one record, as a table of its fields."""
    if as_json:
        show_json(record.as_json())
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for title, value in columns.items():
        table.add_row(title, cell(value(record), whole=True))
    print_table(table)


def show_json(value: Any) -> None:
    """Print one JSON value on one line."""
    click.echo(json.dumps(value))


def show_json_array(items: Iterable[Any]) -> None:
    """Print a JSON array, one item per line, while the items arrive."""
    separator = "["
    for item in items:
        click.echo(separator + json.dumps(item), nl=False)
        separator = ",\n "
    click.echo("[]" if separator == "[" else "]")


def new_table(titles: Iterable[str]) -> Table:
    """An empty table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def print_table(table: Table, empty: str = "") -> None:
    """Print a table, or the message ``empty`` if it has no rows."""
    if table.row_count:
        width = None if sys.stdout.isatty() else WIDE
        Console(width=width, highlight=False, soft_wrap=width is not None).print(table)
    elif empty:
        note(empty)


def cell(value: object, *, whole: bool = False) -> Text:
    """Format a value for a table: no markup, no control characters, times without fractions."""
    if value is None:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, datetime):
        return Text(value.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    text = plain(str(value))
    cut = not whole and sys.stdout.isatty() and len(text) > SHOWN
    return Text(text[: SHOWN - 1] + "…" if cut else text)


def write_file(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write the file that the user names, and tell its size. Raises ClientError.

    ``replace``: with another beside it that is moved there, which follows no link.
    """
    try:
        with replacing(path) if replace else path.open("wb") as file:
            file.write(data)
    except OSError as failed:
        raise ClientError(f"{path} cannot be written: {failed.strerror}") from None
    note(f"{path}: {len(data)} bytes")


def note(text: str) -> None:
    """Print a message on standard error."""
    click.echo(plain(text), err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before a deletion; exits with status 1 if the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask; add --yes.")
    if not click.confirm(plain(question), err=True):
        note("Nothing was deleted.")
        raise click.exceptions.Exit(1)


def plural(number: int, noun: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
