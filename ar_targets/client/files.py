"""Files in folders that others may have filled: no link in them leads us elsewhere."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Windows has neither; there, links are seen by `open_own` alone.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)


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


def open_file(path: str, flags: int) -> int:
    """An opener for `open`: for plain files, and links to such. Raises OSError.

    Pipes, on which one could wait for ever, and devices are refused.
    """
    descriptor = os.open(path, flags | NO_WAIT, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", path)
    return descriptor


def open_own(path: str, flags: int) -> int:
    """An opener for `open`: for plain files alone. Raises OSError for a link."""
    refuse_link(path)
    return open_file(path, flags | NO_FOLLOW)


def refuse_link(path: str | Path) -> None:
    """Raises OSError where a link is."""
    if Path(path).is_symlink():
        raise OSError(errno.ELOOP, "it is a link", str(path))
