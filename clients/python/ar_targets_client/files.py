"""Opening and writing files in untrusted folders without following symbolic links."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Not available on Windows, where only `open_own` checks for links.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file to write, which replaces ``path`` atomically unless an exception is raised.

    If ``path`` is a symbolic link, the link is replaced, not its target. Raises OSError.
    """
    part = path.with_name(f"{path.name}.part")
    # Left by a run that was killed, or a symbolic link that somebody else created.
    part.unlink(missing_ok=True)
    # "x" creates a new file, and does not follow links.
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def open_file(path: str, flags: int) -> int:
    """An opener for `open`: for regular files, and links to them. Raises OSError.

    Devices are refused, and pipes, which could block without end.
    """
    descriptor = os.open(path, flags | NO_WAIT, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", path)
    return descriptor


def open_own(path: str, flags: int) -> int:
    """An opener for `open`: for regular files only. Raises OSError for a symbolic link."""
    refuse_link(path)
    return open_file(path, flags | NO_FOLLOW)


def refuse_link(path: str | Path) -> None:
    """Raise OSError if the path is a symbolic link."""
    if Path(path).is_symlink():
        raise OSError(errno.ELOOP, "it is a link", str(path))
