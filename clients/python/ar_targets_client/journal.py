"""The journal of an upload: which rows are done, and which may be.

A file with one JSON object per line, appended before a row is sent and after its
outcome is known. If a row's last line says ``sending``, it is unknown whether the
server has stored it. Only one upload at a time may use a journal. Invalid lines are
ignored: the journal may have come with a folder from an untrusted source.
"""

import hashlib
import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from filelock import FileLock, Timeout

from . import fields
from .errors import ClientError
from .files import open_own, refuse_link
from .rows import Row, name_of_target

# The texts that an attempt's line may have.
CHECKS = {
    "sha256": fields.SHA256,
    "idempotency_key": fields.KEY,
    "token_sha256": fields.SHA256,
}
# What a target is if nothing else is said.
DEFAULTS = {"physical_width": None, "active": True, "metadata": None}


def key_of(server: str, project_id: int, row: Row, sha256: str) -> str:
    """The key of a row: the hash of its server, project, name, file and target's fields.

    ``sha256`` is the file's, before any conversion: another version of the library that converts
    may give other bytes. Fields that say nothing new are left out, as journals of version 0.1 do.
    """
    usual = {"name": name_of_target(row.name), **DEFAULTS}
    told = {field: value for field, value in row.fields.items() if value != usual[field]}
    parts = [server, project_id, row.name, sha256, row.description, *([told] if told else [])]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Sent:
    """An attempt to create a target: the server's time before it, and what it sends.

    Each is None where it is not known: journals of version 0.2 have no keys. ``token_sha256``: the
    hash of the token, since a key is its caller's.
    """

    since: datetime | None
    sha256: str | None = None
    idempotency_key: str | None = None
    token_sha256: str | None = None


class Journal:
    """A journal in a file, or only in memory if there is no path. Thread-safe."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.last: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self._others: FileLock | None = None

    def __enter__(self) -> Self:
        """Lock and read the file. Raises ClientError."""
        if self.path is None:
            return self
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            refuse_link(lock)
            self._others = FileLock(lock, timeout=0)
            self._others.acquire()
            self._file = open(self.path, "a+", encoding="utf-8", errors="replace", opener=open_own)
            self._file.seek(0)
            self._read(self._file.read())
            if self._file.tell():
                # The last line may be incomplete; new lines must not be appended to it.
                self._file.write("\n")
        except Timeout:
            raise ClientError(f"another upload is using {self.path}; wait for its end") from None
        except OSError as failed:
            self._unlock()
            raise ClientError(
                f"the journal {failed.filename or self.path} cannot be written: "
                f"{failed.strerror}; "
                "name another place with --journal"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._others is not None:
            # While the lock is held, so that no other process's is removed; Windows refuses it.
            with suppress(OSError):
                Path(self._others.lock_file).unlink()
            self._others.release()

    def done(self, key: str) -> int | None:
        """The id of the target that a row became; None if the row is not done."""
        return self.last.get(key, {}).get("id")

    def sent(self, key: str) -> Sent | None:
        """The attempt of a row whose outcome is unknown; None if there is none."""
        line = self.last.get(key, {})
        if line.get("state") != "sending":
            return None
        since = line.get("since")
        moment = datetime.fromisoformat(since) if since else None
        return Sent(moment, *(line.get(name) for name in CHECKS))

    def claimed(self) -> set[int]:
        """The ids of all targets that rows have become."""
        with self._lock:
            return {line["id"] for line in self.last.values() if "id" in line}

    def sending(self, key: str, row: Row, sent: Sent) -> None:
        """Record that a row is about to be sent."""
        told = {
            "since": sent.since.isoformat() if sent.since else None,
            "sha256": sent.sha256,
            "idempotency_key": sent.idempotency_key,
            "token_sha256": sent.token_sha256,
        }
        line = {"state": "sending", "file": row.name}
        self._write(key, line | {name: value for name, value in told.items() if value})

    def finished(self, key: str, row: Row, target_id: int) -> None:
        """Record that a row has become a target."""
        self._write(key, {"state": "done", "file": row.name, "id": target_id})

    def refused(self, key: str, row: Row) -> None:
        """Record that a row was refused: the server has not stored it."""
        self._write(key, {"state": "refused", "file": row.name})

    def _write(self, key: str, line: dict[str, Any]) -> None:
        with self._lock:
            self.last[key] = line
            if self._file is not None:
                self._file.write(json.dumps({"row": key} | line) + "\n")
                self._file.flush()

    def _read(self, text: str) -> None:
        """Read the lines that are valid."""
        for written in text.splitlines():
            with suppress(ValueError, RecursionError):
                key, line = line_of(json.loads(written))
                self.last[key] = line


def line_of(read: Any) -> tuple[str, dict[str, Any]]:
    """A row's key and state, from a parsed line. Raises ValueError if it is invalid."""
    if not isinstance(read, dict):
        raise ValueError("it is no object")  # noqa: TRY004  # as the checks below
    key, state, since = fields.SHA256(read.get("row")), read.get("state"), read.get("since")
    if state == "done":
        return key, {"state": state, "id": fields.ID(read.get("id"))}
    if state not in ("sending", "refused"):
        raise ValueError("it is no state")
    line = {"state": state}
    for name, check in CHECKS.items():
        if read.get(name) is not None:
            line[name] = check(read[name])
    if since is None:
        return key, line
    if not isinstance(since, str) or not fields.is_told(datetime.fromisoformat(since)):
        raise ValueError("it is no moment")
    return key, line | {"since": since}
