"""Checks many pictures at once: how well each could be tracked. None is stored."""

import functools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .analysis import Analysis
from .errors import HOPELESS, ClientError
from .rows import Row
from .targets import Targets


@dataclass(frozen=True)
class Checked:
    """A row's analysis, or the reason why there is none.

    ``converted``: the format that the file was converted from, if it was.
    """

    row: Row
    analysis: Analysis | None = None
    reason: str | None = None
    converted: str | None = None


def check_all(targets: Targets, rows: Iterable[Row], *, parallel: int = 4) -> Iterator[Checked]:
    """Have the server analyse rows, as they would be uploaded; what is found, in their order.

    Raises ClientError for what every row would meet, such as a token that is not valid.
    """
    with ThreadPoolExecutor(parallel) as pool:
        try:
            yield from pool.map(functools.partial(check, targets), rows)
        except BaseException:
            targets.transport.stopping.set()
            pool.shutdown(cancel_futures=True)
            raise


def check(targets: Targets, row: Row) -> Checked:
    """Check one row. Raises ClientError for what every row would meet."""
    try:
        image, converted = row.jpeg(row.read())
        return Checked(row, targets.check(image), converted=converted)
    except HOPELESS:
        raise
    except ClientError as refused:
        return Checked(row, reason=str(refused))
