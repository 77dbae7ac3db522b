"""Lists in the panel: keyset pagination, sorting and filters from the query string."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import flask
import orjson
from werkzeug.exceptions import BadRequest

from ..clock import rfc3339
from ..db.base import MAX_ID
from ..models.keyset import Browser, Page, Place
from . import context

Record = TypeVar("Record")

ROWS = 50
# Maximum characters of a search; no column that is searched by prefix is longer.
SEARCH_MAX = 255
PLACES = {"after": False, "before": True}
# The JSON name that marks a key as a datetime.
MOMENT = "at"
NO_PLACE = "this page of the list cannot be found; begin at its start"


@dataclass(frozen=True, slots=True)
class Listing(Generic[Record]):
    """A page of rows, and how many rows the list has.

    ``count`` is None for more than are counted, -1 for filtered lists, which are not counted.
    """

    page: Page[Record]
    count: int | None
    order: str
    reverse: bool

    def url(self, **changes: object) -> str:
        """The URL of the list's first page with other query parameters; None removes one."""
        kept = {name: text for name, text in flask.request.args.items() if name not in PLACES}
        values = {name: value for name, value in (kept | changes).items() if value is not None}
        parts = flask.request.view_args or {}
        return flask.url_for(str(flask.request.endpoint), **(parts | values))

    def place_url(self, name: str, place: Place) -> str:
        """The URL of the page ``after`` or ``before`` a place; ``name`` is one of the two."""
        return self.url(**{name: write_place(place)})

    def sort_url(self, order: str) -> str:
        """The URL of the list sorted by ``order``; reversed if it is sorted by that already."""
        turned = order == self.order and not self.reverse
        return self.url(order=order, reverse=1 if turned else None)


def argument(name: str, allowed: Mapping[str, object] | None = None) -> str:
    """A query parameter; empty if it is missing or not in ``allowed``."""
    text = flask.request.args.get(name, "").strip()[:SEARCH_MAX]
    return text if allowed is None or text in allowed else ""


def read(
    browser: Browser[Record],
    course: str,
    *,
    order: str = "",
    filters: tuple[str, ...] = (),
    rows: int = ROWS,
    **values: Any,
) -> Listing[Record]:
    """The page of a list that the query string asks for. Raises BadRequest for an invalid place."""
    place, backwards = _place()
    if place is not None and not isinstance(place.key, browser.key_type(course)):
        raise BadRequest(NO_PLACE)
    reverse = flask.request.args.get("reverse") == "1"
    db = context.db()
    page = browser.page(
        db,
        course,
        filters=filters,
        place=place,
        backwards=backwards,
        reverse=reverse,
        count=rows,
        **values,
    )
    count = -1 if filters else browser.count(db, course, **values)
    return Listing(page, count, order, reverse)


def write_place(place: Place) -> str:
    """A place encoded for a query parameter."""
    key = place.key
    shown = {MOMENT: rfc3339(key)} if isinstance(key, datetime) else key
    return base64.urlsafe_b64encode(orjson.dumps([shown, place.id])).decode().rstrip("=")


def _place() -> tuple[Place | None, bool]:
    """The place in the query string, and whether the page before it is wanted."""
    for name, backwards in PLACES.items():
        if text := flask.request.args.get(name):
            return _read_place(text), backwards
    return None, False


def _read_place(text: str) -> Place:
    try:
        key, row_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if isinstance(key, dict):
            key = datetime.fromisoformat(key[MOMENT]).replace(tzinfo=None)
    except (ValueError, TypeError, KeyError, binascii.Error):
        raise BadRequest(NO_PLACE) from None
    known = isinstance(key, str | int | datetime) and type(row_id) is int and 0 < row_id <= MAX_ID
    if not known:
        raise BadRequest(NO_PLACE)
    return Place(key, row_id)
