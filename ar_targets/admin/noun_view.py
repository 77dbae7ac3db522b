"""The base of the panel's views: Flask-Admin's model view over a mapped class.

Flask-Admin does the lists, filters, forms, exports and bulk actions. A view says which rows are in
sight (`rows`), and its ``create_model``, ``update_model``, ``delete_model`` and actions call the
functions that the API calls.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import flask
from flask_admin.contrib.sqla import ModelView
from markupsafe import Markup
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Query
from wtforms import Form

from ..clock import rfc3339
from ..db.base import parse_id
from ..db.session import Database
from ..models import row_count, soft_delete
from ..models.project import Project
from ..models.user import User
from ..settings import Settings
from . import template_filters
from .context import db, sessions, settings, write
from .form import Refusal, answer_with, changed, refusals, refuse
from .list_filter import ListFilter
from .page import failed
from .role import viewer

# The deepest row of a list: OFFSET reads all rows before a page.
DEEPEST = 10_000
# Maximum of an exact count.
COUNTED = 1_000
# What a spreadsheet's formula begins with (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class FilterField(NamedTuple):
    """The form field of a filter."""

    argument: str
    filter: ListFilter
    value: str
    options: Sequence[tuple[str, str]] | None


class Count(NamedTuple):
    """How many rows a list has: exactly, or at least, or about that many."""

    number: int
    word: str = ""


def export_text(_view: Any, value: str, _name: str) -> str:
    """A text for CSV: a spreadsheet must not take it for a formula."""
    return f"'{value}" if value.startswith(FORMULA) else value


def badge(word: str) -> Markup:
    """A state or role in colour."""
    return Markup('<span class="badge {0}">{0}</span>').format(word)


def narrowed_url(endpoint: str, **filters: object) -> str:
    """The URL of a list with filters, by their names and operations, such as ``project_is``."""
    named = {f"flt{place}_{name}": value for place, (name, value) in enumerate(filters.items())}
    return flask.url_for(f"{endpoint}.index_view", **named)  # type: ignore[arg-type]


def counted(ids: Query[Any]) -> Count:
    """How many rows a query of ids has: exactly up to `COUNTED`."""
    some = ids.limit(COUNTED + 1).subquery()
    number = sessions.execute(select(func.count()).select_from(some)).scalar_one()
    return Count(number) if number <= COUNTED else Count(COUNTED, "more than")


class NounView(ModelView):  # type: ignore[misc]
    """Lists and pages of one noun."""

    list_template = "list.html"
    create_template = "form.html"
    edit_template = "form.html"
    can_view_details = True
    can_export = True
    export_max_rows = DEEPEST
    simple_list_pager = True
    page_size = 50
    named_filter_urls = True
    column_auto_select_related = False
    column_list: Sequence[str] = ()
    column_type_formatters: ClassVar[Mapping[type, Any]] = {
        datetime: lambda _view, value, _name: template_filters.moment(value),
        type(None): lambda _view, _value, _name: "–",
    }
    column_type_formatters_export: ClassVar[Mapping[type, Any]] = {
        datetime: lambda _view, value, _name: rfc3339(value),
        type(None): lambda _view, _value, _name: "",
        str: export_text,
    }
    column_formatters_export: ClassVar[Mapping[str, Any]] = {}
    # For administrators alone.
    only_administrators: bool = False
    # What the templates say.
    title: str = ""
    singular: str = ""
    empty: str = "Nothing is found."
    # Templates that a list may be shown with, the first by default.
    looks: ClassVar[tuple[str, ...]] = ("table",)

    def __init__(self, noun: type[Any], **options: Any) -> None:
        super().__init__(noun, sessions, **options)

    def is_accessible(self) -> bool:
        """Whether the viewer may open these pages at all."""
        user = flask.g.get("viewer")
        return user is not None and (user.is_admin or not self.only_administrators)

    def is_visible(self) -> bool:
        """Whether the menu has it: where it has an icon."""
        return bool(self.menu_icon_value)

    # Rows.

    def rows(self) -> Query[Any]:
        """The rows that the viewer sees, with what a list shows of other nouns."""
        raise NotImplementedError

    def get_query(self) -> Query[Any]:
        """The query of a list."""
        first = flask.g.get("first_ids")
        query = self.rows()
        if first is None:
            return query
        first = first.limit(DEEPEST).subquery("first_ids")
        # Otherwise MariaDB may read all rows in sight, and look for each among these ids.
        query = query.with_hint(self.model, "FORCE INDEX (PRIMARY)")
        return query.filter(self.model.id.in_(select(first.c.id)))

    def get_one(self, id: Any) -> Any:  # noqa: A002  # Flask-Admin's name
        """The row of that id, if the viewer sees it; None otherwise."""
        row_id = parse_id(id) if isinstance(id, str) else None
        return None if row_id is None else self.rows().filter(self.model.id == row_id).first()

    def get_list(
        self,
        page: int | None,
        sort_column: str | None,
        sort_desc: bool,  # noqa: FBT001  # Flask-Admin's arguments
        search: str | None,
        filters: Sequence[Any] | None,
        execute: bool = True,  # noqa: FBT001, FBT002
        page_size: int | None = None,
    ) -> tuple[None, list[Any]]:
        """The rows of a page, counted from 0; none below `DEEPEST`."""
        page = max(page or 0, 0)
        if sort_column is not None and not self.is_sortable(sort_column):
            sort_column = None
        if (page + 1) * self.page_size > DEEPEST:
            return None, []
        given = {name: value for _, name, value in filters or () if value}
        descending = sort_column is None or bool(sort_desc)
        flask.g.first_ids = self.first_ids(given, descending=descending)
        _, found = super().get_list(
            page, sort_column, sort_desc, search, filters, execute, page_size
        )
        return None, found

    def first_ids(self, given: Mapping[str, str], *, descending: bool) -> Select[int] | None:  # noqa: ARG002
        """The ids of the first `DEEPEST` rows of a list in sight, from an index alone.

        For lists whose rows are found by many projects, or in another table: only these rows are
        read, and sorted. None for others. ``given`` are the values of filters, by their names.
        """
        return None

    def several(self, ids: Iterable[str]) -> list[Any]:
        """The rows of a selection that the viewer sees, each once, as many as a page has."""
        wanted = {row_id for text in ids if (row_id := parse_id(text)) is not None}
        some = sorted(wanted)[: self.page_size]
        return self.rows().filter(self.model.id.in_(some)).all() if some else []

    def count(self) -> Count:
        """How many rows the viewer sees."""
        exact = counted(self.rows().with_entities(self.model.id))
        if exact.word and viewer().is_admin:
            return Count(max(COUNTED + 1, row_count.live_rows(db(), self.model)), "about")
        return exact

    latest_first: Any = ("id", True)

    @property
    def column_default_sort(self) -> Any:
        """The order of a list for which a filter has set none."""
        return None if flask.has_request_context() and "ordered" in flask.g else self.latest_first

    def is_sortable(self, name: str) -> bool:
        """Whether a column's heading sorts: not where a filter has set the order."""
        return "ordered" not in flask.g and bool(super().is_sortable(name))

    # What the templates ask.

    def filter_fields(self, active: Sequence[tuple[int, str, str]] | None) -> list[FilterField]:
        """The fields of a list's filters, with the values in the query string."""
        values = {place: value for place, _, value in active or ()}
        return [
            FilterField(
                f"flt{place}_{self.get_filter_arg(place, one)}",
                one,
                values.get(place, ""),
                one.get_options(self),
            )
            for place, one in enumerate(self.get_filters() or ())
        ]

    def list_url(self, endpoint: str, row: Any) -> str:
        """The URL of a list, narrowed to what belongs to a row."""
        noun = type(row)
        name = "owner_is" if noun is User else f"{noun.__tablename__}_is"
        return narrowed_url(endpoint, **{name: getattr(row, noun.label)})

    def history_url(self, row: Any) -> str:
        """The URL of the trail of a row."""
        return narrowed_url("audit", row_is=self.model.__tablename__, id_is=row.id)

    def chosen_project(self, active: Sequence[tuple[int, str, str]] | None) -> str | None:
        """The name of the project to which a list is narrowed."""
        fields = self.filter_fields(active)
        return next((one.value for one in fields if one.filter.lookup == "project"), "") or None

    def look_url(self, look: str) -> str:
        """The URL of this list with another look."""
        return str(self.get_url(".index_view", **{**flask.request.args, "look": look}))

    def settings(self) -> Settings:
        """The application's settings."""
        return settings()

    def page_url(self, row_id: int) -> str:
        """The URL of a row's own page."""
        return str(self.get_url(".details_view", id=row_id))

    def link(self, row_id: int, text: str) -> Markup:
        """A link to a row's own page."""
        return self.anchor(self.page_url(row_id), text)

    def project_link(self, project: Project) -> Markup:
        """A link to a project's page."""
        return self.anchor(self.get_url("project.details_view", id=project.id), project.name)

    def anchor(self, url: str, text: str) -> Markup:
        """A link in a list."""
        return Markup('<a class="name" href="{}">{}</a>').format(url, template_filters.short(text))

    def look(self) -> str:
        """How the list is shown: one of `looks`, by the query string."""
        wanted = flask.request.args.get("look", "")
        return wanted if wanted in self.looks else self.looks[0]

    # Changes.

    def may_change(self, row: Any) -> bool:  # noqa: ARG002
        """Whether the viewer may change a row in sight."""
        return True

    def permitted(self, rows: Iterable[Any], may: Callable[[Any], bool], told: str) -> list[Any]:
        """Those rows of a selection that the viewer may change; of the others ``told`` is said."""
        mine = []
        for row in rows:
            if may(row):
                mine.append(row)
            else:
                failed(f"{self.label(row)}: {told}")
        return mine

    def create_form(self, obj: Any = None) -> Any:
        """The form of a new row, of the project in the query string where it has one."""
        form = super().create_form(obj)
        if flask.request.method == "GET" and "project" in form:
            form.project.data = flask.request.args.get("project", "")
        return form

    def edit_form(self, obj: Any = None) -> Any:
        """The form of a row; 403 where the viewer may not change it."""
        if not self.may_change(obj):
            flask.abort(403)
        return super().edit_form(self.editable(obj))

    def editable(self, row: Any) -> Any:
        """What a form is filled with; by default the row itself."""
        return row

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002
        """The row's own page."""
        return self.page_url(model.id)

    def validate_form(self, form: Form) -> bool:
        """Whether a form was sent, and is in order; the view checks its texts with a schema."""
        valid = bool(super().validate_form(form))
        if not valid and flask.request.method == "POST":
            answer_with(400)
        return valid

    def attempt(self, form: Form, work: Callable[[Database], Any]) -> Any:
        """The result of a change by a form; None, with messages in the form, where it is refused.

        Flask-Admin shows the form again.
        """
        try:
            with refusals():
                return write(work)
        except Refusal as refused:
            refuse(form, refused)
            return None

    def create_by(self, form: Form, work: Callable[[Database], Any]) -> Any:
        """The new row, once it is committed; False as Flask-Admin wants it where it is refused."""
        record = self.attempt(form, work)
        return self.get_one(str(record.id)) if record else False

    def soft_delete(self, row: Any) -> bool:
        """Soft-delete a row; what refuses it is said."""
        return bool(
            self.each(
                [row],
                lambda database, one: changed(soft_delete.delete(database, self.model, one.id)),
            )
        )

    def each(self, rows: Iterable[Any], work: Callable[[Database, Any], object]) -> list[Any]:
        """Change each row of a selection, in a transaction of its own; those that were changed.

        What is refused is said.
        """
        done = []
        for row in rows:
            try:
                with refusals():
                    write(functools.partial(_on_row, work=work, row=row))
            except Refusal as refused:
                failed(f"{self.label(row)}: {refused.text}")
            else:
                done.append(row)
        return done

    def called(self, rows: Sequence[Any]) -> str:
        """How messages call some rows: one by its label, several by their number."""
        return self.label(rows[0]) if len(rows) == 1 else f"{len(rows)} {self.model.plural}"

    def label(self, row: Any) -> str:
        """How messages call a row."""
        return f"{self.singular} #{row.id}"


def _on_row(database: Database, work: Callable[[Database, Any], object], row: Any) -> object:
    return work(database, row)
