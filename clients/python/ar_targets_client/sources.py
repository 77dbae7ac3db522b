"""Rows from single files, folders, and manifests."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from . import manifest, names
from .rows import Row, SourceError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg"})
# File name of the journal in a folder without a manifest.
FOLDER_JOURNAL = ".ar-targets.journal"


def rows_of(source: Path, description: str = "") -> Iterator[Row]:
    """The rows of a JPEG, a manifest, or a folder with or without one. Raises SourceError.

    ``description`` is for files that no manifest describes.
    """
    found = manifest_of(source)
    if found is not None:
        yield from manifest.read(found)
    elif source.is_dir():
        images = [f for f in source.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES]
        if not images:
            raise SourceError(f"{source} has neither a manifest nor a file *.jpg or *.jpeg")
        for file in sorted(images):
            try:
                names.within(source, file)
            except ValueError as wrong:
                raise SourceError(f"{file}: {wrong}; name the file itself") from None
            yield Row(file.name, file, description)
    elif source.is_file():
        yield Row(str(source), source, description)
    else:
        raise SourceError(f"{source} does not exist")


def manifest_of(source: Path) -> Path | None:
    """The manifest that a source is or contains, if any. Raises SourceError."""
    if not source.is_dir():
        return source if source.suffix.lower() in (".csv", ".json") else None
    found = [source / name for name in manifest.NAMES if (source / name).is_file()]
    if len(found) > 1:
        raise SourceError(f"{source} has two manifests; name the one that you mean")
    return found[0] if found else None


def journal_of(sources: Sequence[Path]) -> Path | None:
    """The path of an upload's journal: beside its manifest, or in its folder.

    None for single files, and for several sources.
    """
    if len(sources) != 1:
        return None
    found = manifest_of(sources[0])
    if found is not None:
        return found.with_name(f"{found.name}.journal")
    return sources[0] / FOLDER_JOURNAL if sources[0].is_dir() else None
