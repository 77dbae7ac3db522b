"""Keyset pagination by id, or by a key and id: the last page costs as much as the first."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request

from ..db.base import parse_id
from ..errors import FieldError, problem
from ..schemas.query import Query
from .query import query_pairs

LIMIT_MAX = 200
LIMIT_DEFAULT = 50
NO_FILTERS = Query()


class _HasId(Protocol):
    @property
    def id(self) -> int: ...


Record = TypeVar("Record", bound=_HasId)


class Place(NamedTuple):
    """The row where a page ends: its id, and its key in a list that is ordered by one."""

    id: int = 0
    key: bytes = b""


class Page(NamedTuple):
    """Which part of a list a request asks for: ``limit`` rows past the place ``after``.

    ``filters`` are the values of its other parameters, ``query`` their texts.
    """

    after: Place
    limit: int
    filters: dict[str, Any]
    query: dict[str, str]

    @property
    def rows(self) -> int:
        """Rows to read: one more than are shown, to know whether there is a next page."""
        return self.limit + 1


def requested_page(
    request: Request, schema: Query = NO_FILTERS, *, by: Container[str] = ()
) -> Page:
    """Read ``limit``, ``cursor`` and the parameters of a schema from the query.

    A list is ordered by a key where a parameter of ``by`` is given, else by id. Raises 400, naming
    all that is wrong.
    """
    given = dict(query_pairs(request))
    known = {node.name for node in schema.children}
    query = {name: text for name, text in given.items() if name in known}
    filters, faults = schema.load_texts(query)
    wrong = [FieldError("querystring", name, told) for name, told in faults.items()]
    limit = parse_id(given.get("limit", str(LIMIT_DEFAULT)))
    after: Place | None = Place()
    if "cursor" in given:
        after = parse_cursor(request, given["cursor"], keyed=any(name in by for name in query))
    if limit is None or limit > LIMIT_MAX:
        message = f"it must be a whole number from 1 to {LIMIT_MAX}"
        wrong.append(FieldError("querystring", "limit", message))
    if after is None:
        message = "it is no cursor of this list; take it from 'next', or leave it out"
        wrong.append(FieldError("querystring", "cursor", message))
    if wrong or limit is None or after is None:
        raise problem(HTTPBadRequest, *wrong)
    return Page(after, limit, filters, query)


def make_cursor(request: Request, place: Place) -> str:
    """A cursor: the place where a page ends, with a checksum that ties it to this list."""
    text = str(place.id)
    if place.key:
        text += f".{urlsafe_b64encode(place.key).decode().rstrip('=')}"
    check = zlib.crc32(f"{request.path_info} {text}".encode())
    return f"{text}-{check:08x}"


def parse_cursor(request: Request, text: str, *, keyed: bool = False) -> Place | None:
    """The place in a cursor, or None where `make_cursor` did not make it for this list.

    ``keyed``: whether the list is ordered by a key.
    """
    number, _, key = text.rpartition("-")[0].partition(".")
    after = parse_id(number)
    if after is None or bool(key) != keyed:
        return None
    try:
        place = Place(after, urlsafe_b64decode(key + "=" * (-len(key) % 4)))
    except ValueError:
        return None
    return place if text == make_cursor(request, place) else None


def listing(
    request: Request,
    page: Page,
    records: Sequence[Record],
    represent: Callable[[Request, Record], dict[str, object]],
    *,
    most: int = LIMIT_MAX,
    key: Callable[[Record], bytes] = lambda _: b"",
) -> dict[str, object]:
    """The representation of a page. ``records`` may hold one more than it shows.

    It shows ``most`` at most, and at least one. ``key`` is that of a record, in a list that is
    ordered by one.
    """
    shown = records[: min(page.limit, max(most, 1))]
    following = None
    if len(records) > len(shown):
        last = Place(shown[-1].id, key(shown[-1]))
        query = urlencode(page.query | {"limit": page.limit, "cursor": make_cursor(request, last)})
        following = f"{request.path_url}?{query}"
        request.response.headers["Link"] = f'<{following}>; rel="next"'
    request.response.headers["Cache-Control"] = "private, no-cache"
    return {"items": [represent(request, record) for record in shown], "next": following}
