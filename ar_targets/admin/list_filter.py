"""Filters of the panel's lists: each by an index, and none where nothing was typed.

They are Flask-Admin's filters; `NounView.filter_fields` has the form fields for them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flask
from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from sqlalchemy import ColumnElement, false

from ..db.base import parse_id

# Maximum characters of a text; no column that is searched by prefix is longer.
TEXT_MAX = 255
Choices = Sequence[tuple[str, str]]


class Condition(NamedTuple):
    """Which rows, by which index, and in which order: by default the latest first.

    Without the index, MariaDB may intersect two others, and sort all that it finds.
    """

    where: ColumnElement[bool]
    by_index: str | None = None
    order: Sequence[Any] = ()


class ListFilter(BaseSQLAFilter):  # type: ignore[misc]
    """A filter that an empty value leaves out."""

    # The name of the loader that offers values while one types, if any.
    lookup: str | None = None

    def operation(self) -> str:
        """The word between the name and the value."""
        return "is"

    def clean(self, value: str) -> Any:
        """The value to compare with; None for none. Raises ValueError for one that is invalid."""
        return value.strip()[:TEXT_MAX] or None

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:  # noqa: ARG002
        """The query with the condition."""
        if value is None:
            return query
        found = self.condition(value)
        query = query.filter(found.where)
        if found.by_index is not None:
            query = query.with_hint(self.column.class_, f"FORCE INDEX ({found.by_index})")
        if found.order:
            flask.g.ordered = True
            query = query.order_by(*found.order)
        return query

    def condition(self, value: Any) -> Condition:
        """The condition for a value that is not None."""
        return Condition(self.column == value)


class ChoiceFilter(ListFilter):
    """One of some words, each a condition."""

    def __init__(
        self,
        column: Any,
        name: str,
        options: Choices,
        conditions: Callable[[], Mapping[str, Condition]],
    ) -> None:
        super().__init__(column, name, options)
        self._conditions = conditions

    def clean(self, value: str) -> str | None:
        """The word, or None. Raises ValueError for another word."""
        if value and value not in dict(self.options):
            raise ValueError(value)
        return value or None

    def condition(self, value: str) -> Condition:
        """The word's condition."""
        return self._conditions()[value]


class EqualFilter(ChoiceFilter):
    """A column with one of some words."""

    def __init__(self, column: Any, name: str, options: Choices) -> None:
        super().__init__(
            column, name, options, lambda: {word: Condition(column == word) for word, _ in options}
        )


class PrefixFilter(ListFilter):
    """Texts that begin with the value, in their order."""

    def operation(self) -> str:
        """The word between the name and the value."""
        return "begins with"

    def condition(self, value: str) -> Condition:
        """The condition."""
        column = self.column
        starts = column.startswith(value, autoescape=True)
        return Condition(starts, None, (column, column.class_.id))


class IdFilter(ListFilter):
    """An id."""

    def clean(self, value: str) -> int | None:
        """The id, or None. Raises ValueError for a text that is none."""
        text = value.strip().removeprefix("#")
        if not text:
            return None
        if (row_id := parse_id(text)) is None:
            raise ValueError(value)
        return row_id


class NamedFilter(ListFilter):
    """Rows of a parent that is named by its unique label, such as a project's name."""

    def __init__(
        self,
        column: Any,
        name: str,
        lookup: str,
        named: Callable[[str], object | None],
        index: str | None = None,
    ) -> None:
        """``named`` is the column's value for a label; None where nothing has it."""
        super().__init__(column, name)
        self.lookup, self._named, self._index = lookup, named, index

    def condition(self, value: str) -> Condition:
        """The condition."""
        found = self._named(value)
        if found is None:
            return Condition(false())
        return Condition(self.column == found, self._index)
