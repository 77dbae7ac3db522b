"""What a backup holds, and how to tell whether it is whole: a small JSON file beside the dump."""

import hashlib
from pathlib import Path

import msgspec

# Of the two files, behind the same name.
DUMP, SUFFIX = ".sql.gz", ".json"


class BackupError(Exception):
    """Why a backup cannot be made or used; one line."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Written last: a dump without its manifest is not whole."""

    # Name of the dump, in the same directory.
    file: str
    # When the dump began, as in the API.
    created_at: str
    # The version of ar_targets that made it.
    version: str
    # MariaDB or MySQL: only the same one can read it.
    vendor: str
    schema_revision: str
    # Rows of each table, counted in the dump.
    rows: dict[str, int]
    # Bytes of the longest statement: the server that restores it must allow such a packet.
    longest_statement: int
    # Where the binary log goes on behind the dump; None where the server told no position.
    binlog_file: str | None = None
    binlog_position: int | None = None
    # Of the compressed file.
    size: int
    sha256: str

    def encoded(self) -> bytes:
        """The content of its file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def manifest_of(dump: Path) -> Path:
    """The path of a dump's manifest."""
    return dump.with_name(dump.name.removesuffix(DUMP) + SUFFIX)


def read(path: Path) -> Manifest:
    """A manifest from its file. Raises BackupError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as wrong:
        raise BackupError(f"cannot read the manifest {path}: {wrong.strerror}") from None
    except msgspec.DecodeError as wrong:
        raise BackupError(f"{path} is no manifest of a backup: {wrong}") from None


def checked(dump: Path) -> Manifest:
    """The manifest of a dump whose size and checksum are right. Raises BackupError."""
    found = read(manifest_of(dump))
    try:
        right = dump.stat().st_size == found.size and checksum(dump) == found.sha256
    except OSError as wrong:
        raise BackupError(f"cannot read {dump}: {wrong.strerror}") from None
    if not right:
        raise BackupError(f"{dump} is damaged: it has not the checksum of its manifest")
    return found


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
