"""The directory of backups: names, files that appear when they are whole, and which to keep."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from .manifest import DUMP, SUFFIX, BackupError, read

KEYS, PART = ".keys", ".part"
# The moment in a name: 20261128T161815Z.
MOMENT = "%Y%m%dT%H%M%SZ"
ANY_MOMENT = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"


class BackupDirectory:
    """The backups of one database; others may have theirs in the same directory."""

    def __init__(self, path: Path, database: str) -> None:
        self.path = path
        # Without slashes, and without what `glob` takes for a pattern.
        self._prefix = quote(database, safe="")

    def name(self, moment: datetime) -> str:
        """What the files of a backup begin with."""
        return f"{self._prefix}-{moment.strftime(MOMENT)}"

    def whole(self) -> list[Path]:
        """The manifests of whole backups, oldest first."""
        return sorted(self.path.glob(f"{self._prefix}-{ANY_MOMENT}{SUFFIX}"))

    def newest(self) -> Path:
        """The dump of the newest backup. Raises BackupError."""
        if not (manifests := self.whole()):
            raise BackupError(f"{self.path} has no backup of this database")
        return self.path / read(manifests[-1]).file

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time make backups here, and remove what a killed one left.

        Raises BackupError.
        """
        with (self.path / f".{self._prefix}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"another backup to {self.path} is in progress") from None
            for left in self.path.glob(f"{self._prefix}-{ANY_MOMENT}.*{PART}"):
                left.unlink()
            yield

    @contextmanager
    def new_file(self, name: str) -> Iterator[BinaryIO]:
        """A file that appears under its name when it is whole and on the disk.

        Only its owner can read it: a dump holds password hashes. Raises BackupError if the disk is
        full, for instance.
        """
        part = self.path / (name + PART)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(self.path / name)
            self._sync()
        except OSError as wrong:
            raise BackupError(f"cannot write {self.path / name}: {wrong.strerror}") from None
        finally:
            part.unlink(missing_ok=True)

    def keep(self, number: int) -> list[str]:
        """Remove the oldest whole backups beyond a number; their names."""
        removed = []
        for manifest in self.whole()[:-number]:
            name = manifest.name.removesuffix(SUFFIX)
            # The manifest first: what is left of a backup is not whole.
            for suffix in (SUFFIX, DUMP, KEYS):
                (self.path / (name + suffix)).unlink(missing_ok=True)
            removed.append(name)
        return removed

    def _sync(self) -> None:
        """Write the directory itself to the disk, so that a new name survives a power cut."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
