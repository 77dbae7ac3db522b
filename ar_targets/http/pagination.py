"""Keyset pagination by id: the last page of a million rows costs as much as the first."""

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request

from ..db.base import parse_id
from ..errors import FieldError, problem

LIMIT_MAX = 200
LIMIT_DEFAULT = 50


class _HasId(Protocol):
    @property
    def id(self) -> int: ...


Record = TypeVar("Record", bound=_HasId)


class Page(NamedTuple):
    """Which part of a list a request asks for: ``limit`` rows past the id ``after``."""

    after: int
    limit: int

    @property
    def rows(self) -> int:
        """Rows to read: one more than are shown, to know whether there is a next page."""
        return self.limit + 1


def requested_page(request: Request) -> Page:
    """Read ``limit`` and ``cursor`` from the query. Raises 400, naming both if both are wrong."""
    page, wrong = _read(request)
    if page is None:
        raise problem(HTTPBadRequest, *wrong)
    return page


def _read(request: Request) -> tuple[Page | None, list[FieldError]]:
    query = dict(parse_qsl(request.query_string, keep_blank_values=True))
    limit = parse_id(query.get("limit", str(LIMIT_DEFAULT)))
    after = parse_cursor(request, query["cursor"]) if "cursor" in query else 0
    wrong = []
    if limit is None or limit > LIMIT_MAX:
        message = f"it must be a whole number from 1 to {LIMIT_MAX}"
        wrong.append(FieldError("querystring", "limit", message))
    if after is None:
        message = "it is no cursor of this list; take it from 'next', or leave it out"
        wrong.append(FieldError("querystring", "cursor", message))
    if wrong or limit is None or after is None:
        return None, wrong
    return Page(after, limit), []


def make_cursor(request: Request, after: int) -> str:
    """A cursor: the last id of a page, with a checksum that ties it to this list."""
    check = zlib.crc32(f"{request.path_info} {after}".encode())
    return f"{after}-{check:08x}"


def parse_cursor(request: Request, text: str) -> int | None:
    """The id in a cursor, or None where `make_cursor` did not make it for this list."""
    after = parse_id(text.partition("-")[0])
    return after if after is not None and text == make_cursor(request, after) else None


def listing(
    request: Request,
    page: Page,
    records: Sequence[Record],
    represent: Callable[[Request, Record], dict[str, object]],
) -> dict[str, object]:
    """The representation of a page. ``records`` may hold one more than it shows."""
    shown = records[: page.limit]
    following = None
    if len(records) > page.limit:
        query = urlencode({"limit": page.limit, "cursor": make_cursor(request, shown[-1].id)})
        following = f"{request.path_url}?{query}"
        request.response.headers["Link"] = f'<{following}>; rel="next"'
    request.response.headers["Cache-Control"] = "private, no-cache"
    return {"items": [represent(request, record) for record in shown], "next": following}
