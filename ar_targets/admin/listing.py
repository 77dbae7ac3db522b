"""A list on a page: what the address asks for, and the addresses of its other parts."""

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
# Characters of a search; none of the columns that are searched by their beginning has more.
SEARCH_MAX = 255
PLACES = {"after": False, "before": True}
# In an address, the name of a place's key that is a moment.
MOMENT = "at"


@dataclass(frozen=True, slots=True)
class Listing(Generic[Record]):
    """A page of rows. ``count`` is None for more than are counted, -1 where nothing counts them."""

    page: Page[Record]
    count: int | None
    order: str
    reverse: bool

    def url(self, **changes: object) -> str:
        """The address of this list with other choices, from its start; None takes one away."""
        kept = {name: text for name, text in flask.request.args.items() if name not in PLACES}
        values = {name: value for name, value in (kept | changes).items() if value is not None}
        parts = flask.request.view_args or {}
        return flask.url_for(str(flask.request.endpoint), **(parts | values))

    def place_url(self, name: str, place: Place) -> str:
        """The address of the page ``after`` or ``before`` a place."""
        return self.url(**{name: write_place(place)})

    def sort_url(self, order: str) -> str:
        """The address of the list in that order; turned round where it is in it already."""
        turned = order == self.order and not self.reverse
        return self.url(order=order, reverse=1 if turned else None)


def argument(name: str, allowed: Mapping[str, object] | None = None) -> str:
    """What the address says under a name; nothing where that is not allowed."""
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
    """The part of a list that the address asks for. Raises 400 for a place that is none."""
    place, backwards = _place()
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
    """A place for an address."""
    key = place.key
    shown = {MOMENT: rfc3339(key)} if isinstance(key, datetime) else key
    return base64.urlsafe_b64encode(orjson.dumps([shown, place.id])).decode().rstrip("=")


def _place() -> tuple[Place | None, bool]:
    """The place in the address, and whether what comes before it is wanted."""
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
        raise BadRequest("this page of the list cannot be found; begin at its start") from None
    known = isinstance(key, str | int | datetime) and type(row_id) is int and 0 < row_id <= MAX_ID
    if not known:
        raise BadRequest("this page of the list cannot be found; begin at its start")
    return Place(key, row_id)
