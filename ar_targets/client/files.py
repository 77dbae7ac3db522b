"""Files in folders that others may have filled: no link in them leads us elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file, to write, which takes the place of ``path`` when all went well; else none does.

    Where ``path`` is a link, the link is replaced, not the file that it leads to.
    Raises OSError.
    """
    part = path.with_name(f"{path.name}.part")
    # It was left by a run that was killed; or it is a link that somebody laid there.
    part.unlink(missing_ok=True)
    # "x" makes a file that is new, and follows no link.
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
