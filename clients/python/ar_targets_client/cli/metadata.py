"""The option ``--metadata``: a file with any JSON value."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from ..display import brief


class Metadata:
    """A JSON value from the command line. It may be null, which None, for no option, is not."""

    def __init__(self, value: Any) -> None:
        self.value = value


class JsonFile(click.ParamType[Metadata]):
    """A file with a JSON value; ``-`` is standard input."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Metadata:
        """Read and parse the file."""
        try:
            text = sys.stdin.read() if value == "-" else Path(value).read_text(encoding="utf-8")
            return Metadata(json.loads(text))
        except OSError as failed:
            self.fail(f"{value} cannot be read: {failed.strerror}", param, ctx)
        except (ValueError, RecursionError) as wrong:
            self.fail(f"{brief(value)} is not JSON: {wrong}", param, ctx)


option = click.option(
    "--metadata", type=JsonFile(), help="A file with any JSON for the app; - for standard input."
)
# How wide the printed picture is.
METRES = click.FloatRange(0, 1000, min_open=True)
