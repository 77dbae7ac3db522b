"""The base class of the API's collections: list, get, create, update, delete."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

from .answer import not_ours
from .errors import ClientError, NotFoundError
from .payload import Payload
from .transport import Transport, new_key


class _Identified(Protocol):
    """A record with an id."""

    @property
    def id(self) -> int: ...

    @classmethod
    def read(cls, data: Any, **own: Any) -> Self: ...


RecordType = TypeVar("RecordType", bound=_Identified)


class Single(Generic[RecordType]):
    """A collection at ``path``, with records of one type.

    ``project_id``: the project of the records, if they belong to one.
    """

    path: str
    record: type[RecordType]
    project_id: int | None = None

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def get(self, record_id: int) -> RecordType:
        """One record, with its entity tag."""
        return self._read("GET", f"{self.path}/{record_id}", record_id)

    def delete(self, record_id: int, *, etag: str | None = None) -> None:
        """Delete a record; with ``etag`` only if it is unchanged."""
        try:
            self.transport.send("DELETE", f"{self.path}/{record_id}", etag=etag)
        except NotFoundError as gone:
            # An earlier attempt has deleted it before it lost its connection.
            if not gone.after_cut:
                raise

    def etag(self, record_id: int) -> str | None:
        """The entity tag of a record."""
        return self.transport.send("HEAD", f"{self.path}/{record_id}").headers.get("ETag")

    def _create(
        self,
        body: Payload,
        idempotency_key: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> RecordType:
        """POST the body with the key, or a new one: it is done once, however often it is sent."""
        key = new_key() if idempotency_key is None else idempotency_key
        return self._read("POST", self.path, None, body=body, query=query, idempotency_key=key)

    def _list(
        self, filters: Mapping[str, str] | None = None, *, by_id: bool = True
    ) -> Iterator[RecordType]:
        """All records. Raises ClientError if one comes twice, or not in the order of ids.

        This excludes pages that lead back to an earlier one. ``by_id``: whether the server
        sorts the list by id, as it does if nothing else is said.
        """
        last, seen = 0, set[int]()
        for item in self.transport.pages(self.path, filters):
            record = self._record(item)
            if record.id in seen or (by_id and record.id < last):
                raise ClientError(
                    f"the list of {self.transport.server} is none of ar_targets "
                    f"({record.id} comes after {last}); check the server's URL"
                )
            last = record.id
            seen.add(last)
            yield record

    def _update(self, record_id: int, fields: Mapping[str, Any], etag: str | None) -> RecordType:
        """PATCH the fields; ``etag`` is sent as If-Match."""
        path = f"{self.path}/{record_id}"
        return self._read("PATCH", path, record_id, body=fields, etag=etag)

    def _restore(self, record_id: int) -> RecordType:
        """Restore a deleted record; one that is not deleted is returned as it is."""
        return self._read("POST", f"{self.path}/{record_id}/restore", record_id)

    def _read(self, method: str, path: str, record_id: int | None, **request: Any) -> RecordType:
        answer = self.transport.send(method, path, **request)
        return self._record(answer.json(), record_id, etag=answer.headers.get("ETag"))

    def _record(self, data: Any, record_id: int | None = None, **own: Any) -> RecordType:
        """A record from the server's JSON. Raises ClientError if it is not the requested one."""
        record = self.record.read(data, **own)
        if record_id not in (None, record.id):
            raise not_ours(f"{self.transport.server}/api{self.path}/{record_id}")
        if self.project_id is not None and getattr(record, "project_id", None) != self.project_id:
            raise not_ours(f"{self.transport.server}/api{self.path}")
        return record
