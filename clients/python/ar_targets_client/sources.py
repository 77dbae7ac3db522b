"""Rows from single files, folders, and manifests."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import convert, manifest, names
from .rows import Common, Row, SourceError, name_of_target

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg"})
# File name of the journal in a folder without a manifest.
FOLDER_JOURNAL = ".ar-targets.journal"

# Called with the name of each file or folder in a source that is left out, and the reason.
OnSkip = Callable[[str, str], None]


def rows_of(
    source: Path,
    common: Common | None = None,
    *,
    recursive: bool = False,
    on_skip: OnSkip | None = None,
) -> Iterator[Row]:
    """The rows of a JPEG, a manifest, or a folder with or without one. Raises SourceError.

    ``common`` is for files that no manifest describes, and for the columns that it does not
    have. ``recursive``: whether the folders in a folder are gone into.
    """
    given = common or {}
    found = manifest_of(source)
    if found is not None:
        rows = manifest.read(found, given)
        if source.is_dir():
            tell_unnamed(source, found, rows, on_skip or ignore)
        yield from rows
    elif source.is_dir():
        converted = given.get("convert", False)
        files = list(
            Folder(source, on_skip or ignore, convert=converted, recursive=recursive).files()
        )
        if not files:
            raise SourceError(f"{source} has neither a manifest nor a file *.jpg or *.jpeg")
        for file in files:
            yield row_of(file, file.relative_to(source).as_posix(), given)
    elif source.is_file():
        yield row_of(source, str(source), given)
    else:
        raise SourceError(f"{source} does not exist")


def ignore(name: str, reason: str) -> None:
    """An OnSkip that tells nobody."""


def row_of(file: Path, name: str, common: Common) -> Row:
    """The row of a file that no manifest describes."""
    return Row(name, file, target_name=name_of_target(file), **common)


class Folder:
    """A folder without a manifest."""

    def __init__(self, top: Path, on_skip: OnSkip, *, convert: bool, recursive: bool) -> None:
        self.top = top
        self.on_skip = on_skip
        self.convert = convert
        self.recursive = recursive

    def files(self, folder: Path | None = None) -> Iterator[Path]:
        """The pictures, in the order of their names. Raises SourceError."""
        here = folder or self.top
        for path in sorted(listed(here)):
            if path.is_dir():
                if reason := self._why_not_into(path):
                    self._skip(path, reason)
                else:
                    yield from self.files(path)
            elif reason := self._why_not(path):
                self._skip(path, reason)
            elif not is_own(path):
                yield self._inside(path)

    def _why_not_into(self, folder: Path) -> str | None:
        """Why a folder in the folder is left out; None if it is not."""
        if folder.name.startswith("."):
            return "a hidden folder"
        if not self.recursive:
            return "a folder; --recursive goes into it"
        # One that leads to a folder above would have no end.
        return "a link to a folder; name that folder itself" if folder.is_symlink() else None

    def _why_not(self, file: Path) -> str | None:
        """Why a file is left out; None if it is not, or is a journal of ours."""
        suffix = file.suffix.lower()
        if suffix in IMAGE_SUFFIXES or is_own(file):
            return None
        if suffix in convert.SUFFIXES:
            return None if self.convert else "not a JPEG; --convert takes it"
        if file.name in manifest.NAMES:
            return "a manifest in a folder below; name that folder to use it"
        return "not a JPEG"

    def _inside(self, file: Path) -> Path:
        """The file itself. Raises SourceError if a link leads out of the folder."""
        try:
            return names.within(self.top, file)
        except ValueError as wrong:
            raise SourceError(f"{file}: {wrong}; name the file itself") from None

    def _skip(self, path: Path, reason: str) -> None:
        self.on_skip(path.relative_to(self.top).as_posix(), reason)


def listed(folder: Path) -> list[Path]:
    """What is in a folder. Raises SourceError."""
    try:
        return list(folder.iterdir())
    except OSError as failed:
        raise SourceError(f"{folder} cannot be read: {failed.strerror}") from None


def is_own(file: Path) -> bool:
    """Whether a file in a folder is a journal, or its lock."""
    journals = {FOLDER_JOURNAL, *(f"{name}.journal" for name in manifest.NAMES)}
    return file.name.removesuffix(".lock") in journals


def tell_unnamed(folder: Path, found: Path, rows: Sequence[Row], on_skip: OnSkip) -> None:
    """Tell which files beside a manifest are not in it."""
    named = {row.file for row in rows} | {found}
    for path in sorted(listed(folder)):
        if path not in named and not path.is_dir() and not is_own(path):
            on_skip(path.name, f"not in {found.name}")


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
