"""The tokens that are stored between commands, in a file that only its owner can read."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from ..errors import ClientError

Kept = dict[str, Any]


class Credentials:
    """The server last used, and for each server a login and project tokens.

    ``{"server": URL, "logins": {URL: {"login", "token", "expires_at"}},
    "projects": {URL: {ID: {"name", "id", "token", "expires_at"}}}}``
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("ar-targets") / "credentials.json"
        try:
            self.data: Kept = json.loads(self.path.read_text(encoding="utf-8"))
            self._check()
        except FileNotFoundError:
            self.data = {}
        except (OSError, ValueError, AttributeError) as odd:
            raise ClientError(
                f"{self.path} cannot be read ({odd}); delete it, and log in again"
            ) from None

    def _check(self) -> None:
        """Raise ValueError or AttributeError if the file has another structure."""
        for servers in (self.data.get("logins", {}), self.data.get("projects", {})):
            for kept in servers.values():
                kept.items()

    @property
    def server(self) -> str | None:
        """The server of the last login."""
        return self.data.get("server")

    def login(self, server: str) -> Kept | None:
        """The login at a server."""
        kept: Kept | None = self.data.get("logins", {}).get(server)
        return kept

    def projects(self, server: str) -> dict[int, Kept]:
        """The project tokens of a server, by the project's id."""
        kept = self.data.get("projects", {}).get(server, {})
        return {int(project_id): token for project_id, token in kept.items()}

    def keep_login(self, server: str, login: Kept) -> None:
        """Store a login; its server becomes the default of later commands."""
        self.data["server"] = server
        self.data.setdefault("logins", {})[server] = login
        self._write()

    def keep_token(self, server: str, project_id: int, token: Kept) -> None:
        """Store a project's token."""
        self.data.setdefault("projects", {}).setdefault(server, {})[str(project_id)] = token
        self._write()

    def forget_login(self, server: str) -> None:
        """Remove the login, but not the project tokens."""
        self.data.get("logins", {}).pop(server, None)
        self._write()

    def forget_token(self, server: str, project_id: int) -> None:
        """Remove a project's token."""
        self.data.get("projects", {}).get(server, {}).pop(str(project_id), None)
        self._write()

    def forget(self, server: str) -> None:
        """Remove the login and project tokens of a server."""
        self.data.get("projects", {}).pop(server, None)
        self.forget_login(server)

    def _write(self) -> None:
        """Replace the file atomically. mkstemp creates it with mode 600."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, part = tempfile.mkstemp(dir=self.path.parent, prefix=".credentials-")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.data, file, indent=2)
            Path(part).replace(self.path)
        except OSError as failed:
            raise ClientError(f"{self.path} cannot be written: {failed.strerror}") from None
