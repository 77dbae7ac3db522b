"""A file to upload, with its description."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .errors import ClientError
from .files import open_file


@dataclass(frozen=True)
class Row:
    """A file to upload. ``name`` is its name in the source, ``sha256`` the expected checksum."""

    name: str
    file: Path
    description: str = ""
    sha256: str | None = None

    def read(self) -> bytes:
        """Read the file and verify its checksum. Raises SourceError."""
        try:
            with open(self.file, "rb", opener=open_file) as file:
                image = file.read()
        except OSError as failed:
            raise SourceError(f"cannot be read: {failed.strerror}") from None
        if self.sha256 is not None and hashlib.sha256(image).hexdigest() != self.sha256.lower():
            raise SourceError("it is not the file that the manifest describes: its sha256 differs")
        return image


class SourceError(ClientError):
    """A file or manifest to upload does not exist, cannot be read or is invalid."""
