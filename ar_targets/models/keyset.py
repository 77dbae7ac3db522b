"""Keyset pagination for the admin panel's lists: with search, filters and several orders.

A page costs the same in a table of a million rows. A `Course` is a scan of a table along one
index; a page of it starts after the row where the last one ended, in either direction. Conditions
that no index supports (text inside a description, a state) filter the rows of the scan: then at
most `WINDOW` rows are scanned for one page, and `Page.searched` says so.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    func,
    or_,
    select,
)

from ..db.session import Database

Record = TypeVar("Record")

# Maximum index entries scanned for one page; takes tens of milliseconds.
WINDOW = 20_000
# Maximum of an exact count; above it a page says "more than".
COUNTED = 10_000


@dataclass(frozen=True, eq=False)
class Course:
    """An index scan: the index, the conditions on its first columns, and its sort column.

    ``key`` is the next column of the index; None where that is the id. ``descending`` is the
    default order.
    """

    index: str
    where: tuple[ColumnElement[bool], ...] = ()
    key: Any = None
    descending: bool = True


class Place(NamedTuple):
    """A keyset position: where a page ends. ``key`` is None on a course by id alone."""

    key: object
    id: int


class Page(NamedTuple, Generic[Record]):
    """Rows in the order shown, and the places of the previous and next page; None without one.

    ``searched`` is the number of scanned rows where that was the limit: there may be more matches
    after ``following``.
    """

    rows: list[Record]
    previous: Place | None
    following: Place | None
    searched: int | None


@dataclass(frozen=True, eq=False)
class Browser(Generic[Record]):
    """A list: its table, the columns that are read, its courses and its filters."""

    noun: Any
    make: Callable[[Sequence[Any]], Record]
    columns: Sequence[Any]
    courses: Mapping[str, Course]
    source: Any
    filters: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)

    def page(
        self,
        db: Database,
        course: str,
        *,
        filters: tuple[str, ...] = (),
        place: Place | None = None,
        backwards: bool = False,
        reverse: bool = False,
        count: int = 50,
        **values: object,
    ) -> Page[Record]:
        """A page after ``place``, or before it if ``backwards``.

        ``reverse`` inverts the course's order. ``values`` are the parameters of its conditions
        and of the filters.
        """
        descending = self.courses[course].descending ^ reverse ^ backwards
        started = place is not None
        values |= {"place_key": place.key, "place_id": place.id} if place else {}
        edge = None
        if filters:
            last = self._edge(course, descending=descending, started=started)
            found = db.read(last, **values, skipped=WINDOW - 1)
            edge = Place(*found[0]) if found else None
        values |= {"edge_key": edge.key, "edge_id": edge.id} if edge else {}
        statement = self._page(
            course, filters, descending=descending, started=started, edged=edge is not None
        )
        width = len(self.columns)
        # The last columns of a row are its place.
        found_rows = [
            (self.make(row[:width]), Place(*row[width:]))
            for row in db.read(statement, **values, count=count + 1)
        ]
        return _turned(found_rows, count, place, edge, backwards=backwards)

    def key_type(self, course: str) -> type:
        """The type of a course's sort key, as a `Place` has it."""
        key = self.courses[course].key
        found: type = (self.noun.id if key is None else key).type.python_type
        return found

    def count(self, db: Database, course: str, **values: object) -> int | None:
        """How many rows the course has; None for more than `COUNTED`."""
        descending = self.courses[course].descending
        last = self._edge(course, descending=descending, started=False)
        if db.read(last, **values, skipped=COUNTED):
            return None
        return int(db.read(self._count(course), **values)[0][0])

    @functools.cache  # noqa: B019  # a Browser lives as long as its module
    def _count(self, course: str) -> Select[Any]:
        chosen = self.courses[course]
        statement = select(func.count()).select_from(self.noun)
        return self._hinted(statement, chosen).where(*chosen.where)

    @functools.cache  # noqa: B019
    def _edge(self, course: str, *, descending: bool, started: bool) -> Select[Any]:
        """The key and id of the last row of the window. Reads the index alone."""
        chosen = self.courses[course]
        key = chosen.key if chosen.key is not None else self.noun.id
        statement = self._hinted(select(key, self.noun.id), chosen).where(*chosen.where)
        if started:
            statement = statement.where(*self._beyond(chosen, "place", descending=descending))
        statement = statement.order_by(*self._order(chosen, descending=descending))
        return statement.limit(1).offset(bindparam("skipped"))

    @functools.cache  # noqa: B019
    def _page(
        self, course: str, filters: tuple[str, ...], *, descending: bool, started: bool, edged: bool
    ) -> Select[Any]:
        chosen = self.courses[course]
        key = chosen.key if chosen.key is not None else self.noun.id
        statement: Select[Any] = select(
            *self.columns, key.label("place_key"), self.noun.id.label("place_id")
        )
        statement = self._hinted(statement.select_from(self.source), chosen).where(*chosen.where)
        # Otherwise the optimiser may begin with the other table, and sort all rows.
        statement = statement.prefix_with("STRAIGHT_JOIN")
        if started:
            statement = statement.where(*self._beyond(chosen, "place", descending=descending))
        if edged:
            # Not `_beyond` in the other direction: the edge itself is included.
            statement = statement.where(*self._up_to(chosen, descending=descending))
        statement = statement.where(*[self.filters[name] for name in filters])
        statement = statement.order_by(*self._order(chosen, descending=descending))
        return statement.limit(bindparam("count"))

    def _hinted(self, statement: Select[Any], course: Course) -> Select[Any]:
        return statement.with_hint(self.noun, f"FORCE INDEX ({course.index})")

    def _order(self, course: Course, *, descending: bool) -> list[ColumnElement[Any]]:
        columns = [self.noun.id] if course.key is None else [course.key, self.noun.id]
        return [column.desc() if descending else column.asc() for column in columns]

    def _beyond(self, course: Course, name: str, *, descending: bool) -> list[ColumnElement[bool]]:
        """Rows after a place; the first condition is the one where the index scan can start."""
        row_id: ColumnElement[int] = self.noun.id
        place_id: ColumnElement[int] = bindparam(f"{name}_id")
        past_id = row_id < place_id if descending else row_id > place_id
        if course.key is None:
            return [past_id]
        key = course.key
        place_key: ColumnElement[Any] = bindparam(f"{name}_key")
        if descending:
            return [key <= place_key, or_(key < place_key, past_id)]
        return [key >= place_key, or_(key > place_key, past_id)]

    def _up_to(self, course: Course, *, descending: bool) -> list[ColumnElement[bool]]:
        """Rows before the window's edge, and the edge itself."""
        row_id: ColumnElement[int] = self.noun.id
        edge_id: ColumnElement[int] = bindparam("edge_id")
        before_id = row_id >= edge_id if descending else row_id <= edge_id
        if course.key is None:
            return [before_id]
        key = course.key
        edge_key: ColumnElement[Any] = bindparam("edge_key")
        if descending:
            return [key >= edge_key, or_(key > edge_key, before_id)]
        return [key <= edge_key, or_(key < edge_key, before_id)]


def _turned(
    found: list[tuple[Record, Place]],
    count: int,
    place: Place | None,
    edge: Place | None,
    *,
    backwards: bool,
) -> Page[Record]:
    """A page from rows in the order of the index, which may have one row more than is shown."""
    shown = found[:count]
    more = shown[-1][1] if len(found) > count else edge
    searched = WINDOW if edge is not None and len(found) <= count else None
    start = shown[0][1] if shown else place
    rows = [record for record, _ in shown]
    if backwards:
        return Page(rows[::-1], more, start, searched)
    return Page(rows, start if place else None, more, searched)


def starts_with(text: str) -> str:
    """The LIKE pattern for texts that begin with this one."""
    return _escaped(text) + "%"


def contains(text: str) -> str:
    """The LIKE pattern for texts that hold this one."""
    return f"%{_escaped(text)}%"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
