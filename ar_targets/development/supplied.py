"""The settings that `ar_targets.development.serve` supplies where nothing else sets them.

Other commands find its running database and its key with `settings_beside`, so that
``ar_targets_admin development.ini create ada`` needs no export.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ar_targets.settings import ENV_PREFIX, PREFIX

# Below the directory of the ini file.
DIRECTORY = "var"


def is_set(name: str, app: Mapping[str, Any]) -> bool:
    """Whether the ini file or the environment has a setting; an empty one counts as none."""
    variable = ENV_PREFIX + name.upper()
    places = (os.environ.get(variable), os.environ.get(variable + "_FILE"), app.get(PREFIX + name))
    return any(places)


def url_of(socket: str, database: str = "ar_targets") -> str:
    """The URL of a database on a private server."""
    return f"mysql+pymysql://root@localhost/{database}?unix_socket={quote(socket)}"


def key_file(directory: Path) -> Path:
    """The file with the key that signs the JWTs."""
    return directory / "jwt.key"


def vision_key_file(directory: Path) -> Path:
    """The file with the key that `ar_targets_vision` is asked with."""
    return directory / "vision.key"


def database_directory(directory: Path) -> Path:
    """Where the private server has its data; ``socket`` in it names the socket while it runs."""
    return directory / "database"


def settings_beside(ini: Path, app: Mapping[str, Any]) -> dict[str, str]:
    """Settings for ``[app:main]`` that it lacks and a running ``ar_targets_serve`` supplies."""
    directory = ini.absolute().parent / DIRECTORY
    socket = _text(database_directory(directory) / "socket")
    supplied = {
        "database_url": url_of(socket) if socket and Path(socket).exists() else "",
        "jwt_keys": _text(key_file(directory)),
    }
    return {
        PREFIX + name: text for name, text in supplied.items() if text and not is_set(name, app)
    }


def _text(path: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
