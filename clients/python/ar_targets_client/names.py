"""Validation of file names in a manifest, which may come from an untrusted source.

A name is valid if it means the same file below the manifest's folder on every system.
"""

import os.path
import re
import unicodedata
from pathlib import Path, PurePosixPath

# Maximum characters of a name, and bytes between two slashes, that every system supports.
NAME_MAX = 1000
PART_MAX = 255
# Device names of Windows, in every folder and with any extension.
DEVICES = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\..*)?", re.IGNORECASE
)
DRIVE = re.compile("[A-Za-z]:")
# What some file system does not allow in names, beside control characters.
UNSAFE = re.compile(r'[/\\:*?"<>|]')
# Control characters, lone surrogates, and separators of lines and paragraphs.
UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})


def file_of(folder: Path, name: str) -> Path:
    """The file of that name in a folder. Raises ValueError with what is wrong with the name.

    It need not exist, but no symbolic link on its path may lead out of the folder.
    """
    if len(name) > NAME_MAX:
        raise ValueError("it is too long")
    if any(unicodedata.category(c) in UNFIT for c in name):
        raise ValueError("it has a control character")
    if "\\" in name:
        raise ValueError("write / between folders")
    pure = PurePosixPath(name)
    if pure.is_absolute() or DRIVE.match(name):
        raise ValueError("it must be relative to the manifest's folder")
    if not pure.parts:
        raise ValueError("it names no file")
    for part in pure.parts:
        check_part(part)
    return within(folder, folder / pure)


def check_part(part: str) -> None:
    """Raise ValueError for a name between two slashes that some system does not support."""
    if part == "..":
        raise ValueError("it leads out of the manifest's folder")
    if len(part.encode()) > PART_MAX:
        raise ValueError("it is too long")
    if part.endswith((".", " ")):
        raise ValueError("Windows cannot have a dot or space at its end")
    if DEVICES.fullmatch(part):
        raise ValueError("it is a device on Windows")


def within(folder: Path, file: Path) -> Path:
    """The file itself. Raises ValueError if a symbolic link leads out of the folder."""
    # Unlike Path.resolve(), realpath accepts link loops, which fail later when they are read.
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
        raise ValueError("a link makes it lead out of the folder")
    return file


def jpeg_name(name: str | None, target_id: int) -> str:
    """The file name for a target's image: its name, or its id where no file can have that.

    The server says what a target's name is: it must not lead out of the folder.
    """
    safe = UNSAFE.sub(
        "_", "".join("_" if unicodedata.category(c) in UNFIT else c for c in name or "")
    )
    file = safe if safe.lower().endswith((".jpg", ".jpeg")) else f"{safe}.jpg"
    try:
        check_part(file)
    except ValueError:
        safe = ""
    return file if safe else f"imagetarget-{target_id}.jpg"


def alike(name: str) -> str:
    """The name without differences of case and Unicode form, which some systems ignore."""
    return folded(str(PurePosixPath(name)))


def folded(text: str) -> str:
    """The text without differences of case and Unicode form, as the server compares names."""
    normal = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", normal.casefold())
