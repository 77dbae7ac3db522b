"""What the nouns of the API have in common: one thing read, created, changed, deleted."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from .errors import NotFoundError
from .records import Stored
from .transport import Transport, json_of

RecordType = TypeVar("RecordType", bound=Stored)


class Single(Generic[RecordType]):
    """A collection at ``path``, of records of one kind."""

    path: str
    record: type[RecordType]

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def get(self, record_id: int) -> RecordType:
        """One of them, with its entity tag."""
        return self._read("GET", f"{self.path}/{record_id}")

    def delete(self, record_id: int, *, etag: str | None = None) -> None:
        """Delete it; with ``etag`` only if nobody has changed it since."""
        try:
            self.transport.send("DELETE", f"{self.path}/{record_id}", etag=etag)
        except NotFoundError as gone:
            # An attempt of ours was cut, after it had been done.
            if not gone.after_cut:
                raise

    def etag(self, record_id: int) -> str | None:
        """The entity tag alone."""
        return self.transport.send("HEAD", f"{self.path}/{record_id}").headers.get("ETag")

    def _create(self, fields: Mapping[str, Any], *, repeatable: bool) -> RecordType:
        return self._read("POST", self.path, body=fields, repeatable=repeatable)

    def _list(self) -> Iterator[RecordType]:
        return map(self.record.read, self.transport.pages(self.path))

    def _update(self, record_id: int, fields: Mapping[str, Any], etag: str | None) -> RecordType:
        """PATCH with the fields that are not None; with ``etag`` only if that is still its own."""
        given = {name: value for name, value in fields.items() if value is not None}
        return self._read("PATCH", f"{self.path}/{record_id}", body=given, etag=etag)

    def _read(self, method: str, path: str, **request: Any) -> RecordType:
        response = self.transport.send(method, path, **request)
        return self.record.read(json_of(response), etag=response.headers.get("ETag"))
