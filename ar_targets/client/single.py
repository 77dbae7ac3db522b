"""What the nouns of the API have in common: one thing read, created, changed, deleted."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from .answer import not_ours
from .errors import ClientError, NotFoundError
from .records import Stored
from .transport import Transport

RecordType = TypeVar("RecordType", bound=Stored)


class Single(Generic[RecordType]):
    """A collection at ``path``, of records of one kind.

    ``project_id`` is the project whose they are, where they are a project's.
    """

    path: str
    record: type[RecordType]
    project_id: int | None = None

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def get(self, record_id: int) -> RecordType:
        """One of them, with its entity tag."""
        return self._read("GET", f"{self.path}/{record_id}", record_id)

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
        return self._read("POST", self.path, None, body=fields, repeatable=repeatable)

    def _list(self) -> Iterator[RecordType]:
        """All records. Raises ClientError where their ids do not rise, as they do on our pages.

        So no record comes twice, and no page leads back to one before it.
        """
        last = 0
        for item in self.transport.pages(self.path):
            record = self._record(item)
            if record.id <= last:
                raise ClientError(
                    f"the list of {self.transport.server} is none of ar_targets "
                    f"({record.id} comes after {last}); check the server's URL"
                )
            last = record.id
            yield record

    def _update(self, record_id: int, fields: Mapping[str, Any], etag: str | None) -> RecordType:
        """PATCH with the fields that are not None; with ``etag`` only if that is still its own."""
        given = {name: value for name, value in fields.items() if value is not None}
        path = f"{self.path}/{record_id}"
        return self._read("PATCH", path, record_id, body=given, etag=etag)

    def _read(self, method: str, path: str, record_id: int | None, **request: Any) -> RecordType:
        answer = self.transport.send(method, path, **request)
        return self._record(answer.json(), record_id, etag=answer.headers.get("ETag"))

    def _record(self, data: Any, record_id: int | None = None, **own: Any) -> RecordType:
        """A record from the server's JSON. Raises ClientError where it is not the one asked for."""
        record = self.record.read(data, **own)
        if record_id not in (None, record.id):
            raise not_ours(f"{self.transport.server}/api{self.path}/{record_id}")
        if self.project_id is not None and getattr(record, "project_id", None) != self.project_id:
            raise not_ours(f"{self.transport.server}/api{self.path}")
        return record
