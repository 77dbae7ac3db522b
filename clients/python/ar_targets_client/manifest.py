"""Manifests: CSV or JSON files that list images and describe them.

Each row has ``file``, a file below the manifest's folder that no other row has, and may have
``sha256``, against which the file is verified, and the fields of its target. An empty ``name``
is no name; without that column, the file's name is the target's. The other columns of an
export are ignored; unknown ones are refused, since they may be misspelt.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import fields, names
from .display import brief
from .files import replacing
from .records import Target
from .rows import Common, Row, SourceError, name_of_target

# File names of a folder's manifest.
NAMES = ("manifest.json", "manifest.csv")
OURS = ("file", "name", "description", "physical_width", "active", "metadata", "sha256")
# Columns whose values are no strings in JSON, and how they are checked.
TYPED: dict[str, fields.Check] = {
    "name": fields.TARGET_NAME,
    "physical_width": fields.PHYSICAL_WIDTH,
    "active": fields.flag,
    "metadata": fields.json_value,
}
IGNORED = ("id", "project_id", "width", "height", "size", "image_url", "created_at", "updated_at")
SHA256 = re.compile("[0-9A-Fa-f]{64}")
WRITTEN = (*OURS, "id", "width", "height", "size", "created_at")
# Maximum characters of a field in CSV: metadata of 2 MiB, which may be written longer than it came.
CSV_FIELD_MAX = 16 * 2**20


def read(path: Path, common: Common | None = None) -> list[Row]:
    """The rows of a manifest. Raises SourceError, naming the invalid row.

    ``common``: what rows have for which the manifest has no column.
    """
    try:
        # Spreadsheets write a byte order mark before CSV. Line ends must not be translated.
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as failed:
        raise SourceError(f"{path} cannot be read: {failed.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not in UTF-8") from None
    entries = read_csv(path, text) if path.suffix.lower() == ".csv" else read_json(path, text)
    return list(rows(path, entries, common or {}))


def read_csv(path: Path, text: str) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Each row of a CSV file, with its line for error messages."""
    csv.field_size_limit(max(csv.field_size_limit(), CSV_FIELD_MAX))
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for entry in reader:
            place = f"{path}, line {reader.line_num}"
            if None in entry or None in entry.values():
                raise SourceError(f"{place}: it has more or fewer columns than the first line")
            yield place, {name: typed(place, name, text) for name, text in entry.items()}
    except csv.Error as wrong:
        raise SourceError(f"{path}, line {reader.line_num}: {wrong}") from None


def typed(place: str, name: str, text: str) -> Any:
    """The value of a field in CSV, as it would be in JSON. Raises SourceError."""
    if name not in TYPED:
        return text
    if not text:
        return True if name == "active" else None
    if name == "name":
        return text
    try:
        # Spreadsheets write TRUE and FALSE.
        return json.loads(text.lower() if name == "active" else text)
    except (ValueError, RecursionError):
        kind = "JSON" if name == "metadata" else "true or false" if name == "active" else "a number"
        raise SourceError(f"{place}: {name} must be {kind}, not {brief(text)}") from None


def read_json(path: Path, text: str) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Each object of a JSON array, with its number for error messages."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise SourceError(f"{path} is not JSON: {wrong}") from None
    if not isinstance(entries, list):
        raise SourceError(f"{path}: it must be an array of objects with 'file'")
    for number, entry in enumerate(entries, 1):
        place = f"{path}, row {number}"
        if not isinstance(entry, dict):
            raise SourceError(f"{place}: it must be an object with 'file'")
        yield place, entry


def rows(
    path: Path, entries: Iterable[tuple[str, Mapping[Any, Any]]], common: Common
) -> Iterator[Row]:
    """Rows from entries. Raises SourceError."""
    seen: dict[str, tuple[Row, str]] = {}
    for place, entry in entries:
        if unknown := entry.keys() - {*OURS, *IGNORED}:
            raise SourceError(
                f"{place}: there is no column {brief(min(unknown))}; there are {', '.join(OURS)}"
            )
        for name in OURS:
            if name not in TYPED and not isinstance(entry.get(name, ""), str):
                raise SourceError(f"{place}: {name} must be a string")
        row = row_of(path.parent, place, entry, common)
        before, where = seen.setdefault(names.alike(row.name), (row, place))
        if before is not row:
            # Names that differ in case or Unicode form may be the same file on some systems.
            same = "the same as" if row == before else "its file is that of"
            raise SourceError(f"{place}: {same} {where.rpartition(', ')[2]}")
        yield row


def row_of(folder: Path, place: str, entry: Mapping[Any, Any], common: Common) -> Row:
    """The row of an entry. Raises SourceError."""
    name, sha256 = entry.get("file", ""), entry.get("sha256", "")
    if not name:
        raise SourceError(f"{place}: 'file' is missing")
    try:
        file = names.file_of(folder, name)
    except ValueError as wrong:
        raise SourceError(f"{place}: {brief(name)} cannot be a file's name: {wrong}") from None
    if sha256 and SHA256.fullmatch(sha256) is None:
        raise SourceError(f"{place}: sha256 must be 64 hexadecimal digits, not {brief(sha256)}")
    said: dict[str, Any] = {"name": name_of_target(name), **common}
    for field, check in TYPED.items():
        if field in entry:
            try:
                said[field] = check(entry[field])
            except ValueError as wrong:
                refused = f"{field} must be {wrong}, not {brief(entry[field])}"
                raise SourceError(f"{place}: {refused}") from None
    if "description" in entry:
        said["description"] = entry["description"]
    target_name = said.pop("name")
    return Row(name, file, sha256=sha256 or None, target_name=target_name, **said)


def write(path: Path, targets: Iterable[tuple[str, Target]]) -> None:
    """Write the manifest of files and their targets, atomically.

    Metadata is left out of it where it was left out of the list.
    """
    entries = [{"file": file} | target.as_json() for file, target in targets]
    chosen = [{name: entry[name] for name in WRITTEN if name in entry} for entry in entries]
    with (
        replacing(path) as binary,
        io.TextIOWrapper(binary, encoding="utf-8", newline="") as file,
    ):
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, WRITTEN, lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(csv_row, chosen))
        else:
            json.dump(chosen, file, ensure_ascii=False, indent=2)
            file.write("\n")


def csv_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as a row of CSV: empty for null, and JSON for what is no text or number."""
    shown = dict(entry) | {"active": fields.as_json(entry["active"])}
    if entry.get("metadata") is not None:
        shown["metadata"] = fields.as_json(entry["metadata"])
    return shown
