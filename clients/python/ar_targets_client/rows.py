"""A file to upload, with what its target is to be."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypedDict

from . import convert
from .errors import ClientError
from .files import open_file


class Common(TypedDict, total=False):
    """What all rows of an upload have, where no manifest says otherwise: see `Row`."""

    description: str
    physical_width: float | None
    active: bool
    metadata: Any
    convert: bool


@dataclass(frozen=True)
class Row:
    """A file to upload. ``name`` is its name in the source, ``sha256`` the expected checksum.

    ``target_name`` and the fields behind it are those of the target. ``convert``: whether a
    picture that is no JPEG is converted.
    """

    name: str
    file: Path
    description: str = ""
    sha256: str | None = None
    target_name: str | None = None
    physical_width: float | None = None
    active: bool = True
    metadata: Any = None
    convert: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the target beside its image and description, by name."""
        return {
            "name": self.target_name,
            "physical_width": self.physical_width,
            "active": self.active,
            "metadata": self.metadata,
        }

    def read(self) -> bytes:
        """Read the file and verify its checksum. Raises SourceError."""
        try:
            with open(self.file, "rb", opener=open_file) as file:
                data = file.read()
        except OSError as failed:
            raise SourceError(f"cannot be read: {failed.strerror}") from None
        if self.sha256 is not None and hashlib.sha256(data).hexdigest() != self.sha256.lower():
            raise SourceError("it is not the file that the manifest describes: its sha256 differs")
        return data

    def jpeg(self, data: bytes) -> tuple[bytes, str | None]:
        """The JPEG to send for the file's bytes, and what it was before. Raises SourceError.

        What is neither a JPEG nor convertible is for the server to refuse.
        """
        kind = convert.kind_of(data)
        if kind is None:
            return data, None
        if not self.convert:
            raise SourceError(f"not a JPEG but a {kind} file; --convert takes it")
        try:
            return convert.to_jpeg(data), kind
        except convert.ConversionError as failed:
            raise SourceError(str(failed)) from None


class SourceError(ClientError):
    """A file or manifest to upload does not exist, cannot be read or is invalid."""


def name_of_target(file: str | PurePath) -> str | None:
    """The name that a file's target has if nothing else is said: without folder and suffix."""
    return PurePath(file).stem.strip() or None
