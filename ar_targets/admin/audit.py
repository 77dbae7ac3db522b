"""``/admin/audit/``: who did what to which row, and when; others than administrators see theirs."""

import functools
from collections import defaultdict
from typing import Any, ClassVar

import flask
import orjson
from markupsafe import Markup
from sqlalchemy import literal, select
from sqlalchemy.orm import Query

from ..auth.policy import user_principal
from ..models import password_link
from ..models.audit import Audit
from ..models.noun import Audited, noun_named, nouns
from ..models.project import Project
from ..models.target import Target
from ..models.user import User
from . import context
from .context import sessions
from .list_filter import EqualFilter, IdFilter, NamedFilter
from .lookup import LoginLoader, user_id_of
from .noun_view import NounView, narrowed_url
from .role import entries_in_sight, in_sight, viewer

ACTIONS = (
    *("create", "change", "delete", "restore", "revoke", "remove"),
    *("login", "login failed", password_link.ACTION),
)
NOUNS = tuple((noun.__tablename__, noun.plural) for noun in nouns(Audited))
WAYS = {"api": "API", "admin": "panel", "script": "scripts"}
COLOURS = {
    **dict.fromkeys(("create", "restore"), "valid"),
    **dict.fromkeys(("delete", "remove", "revoke", "login failed"), "revoked"),
}
USER = user_principal(0).removesuffix("0")


def principal_of(text: str) -> str:
    """The name of a principal in the trail: of a login, or as it stands there."""
    user_id = user_id_of(text)
    # A column of ASCII cannot be compared with anything else.
    return user_principal(user_id) if user_id else text.encode("ascii", "replace").decode()


class AuditView(NounView):
    """The audit trail, newest entry first."""

    title, singular = "Audit trail", "entry"
    list_template = "audit/list.html"
    can_create = False
    can_edit = False
    can_delete = False
    can_view_details = False
    column_list = ("action", "at", "actor", "address", "details")
    column_export_list = (
        *("id", "at", "actor", "via", "address", "request_id"),
        *("action", "noun", "row_id", "details"),
    )
    column_labels: ClassVar[dict[str, str]] = {
        "action": "What",
        "at": "When",
        "actor": "Who",
        "address": "From",
        "details": "Set to",
    }
    column_sortable_list = (("at", ("id",)),)
    column_formatters: ClassVar[dict[str, Any]] = {
        "action": lambda view, _context, row, _name: view.what(row),
        "actor": lambda view, _context, row, _name: view.who(row),
        "address": lambda _view, _context, row, _name: row.address or "–",
        "details": lambda _view, _context, row, _name: list(orjson.loads(row.details).items()),
    }
    column_filters = (
        EqualFilter(Audit.noun, "Row", NOUNS),
        IdFilter(Audit.row_id, "Id"),
        EqualFilter(Audit.action, "Action", tuple((name, name) for name in ACTIONS)),
        NamedFilter(Audit.actor, "By", "login", principal_of),
    )
    form_ajax_refs: ClassVar[dict[str, Any]] = {"login": LoginLoader("login")}

    @property
    def empty(self) -> str:  # type: ignore[override]
        """What an empty list says."""
        switched_off = "The trail is switched off (audit_days = 0)."
        return "There are no entries." if self.days() else switched_off

    def days(self) -> int:
        """For how many days entries are kept."""
        return context.settings().audit_days

    def rows(self) -> Query[Any]:
        """The entries in sight."""
        return sessions.query(Audit).filter(entries_in_sight())

    def get_list(self, *arguments: Any, **options: Any) -> tuple[None, list[Any]]:
        """The entries of a page.

        Their rows' names are read when the first is shown, in a statement a noun: a CSV file has
        ids alone.
        """
        _, found = super().get_list(*arguments, **options)
        flask.g.names = functools.cache(lambda: names_of(found))
        return None, found

    def what(self, row: Audit) -> Markup:
        """The action, and the row with its name."""
        action = Markup('<span class="badge {}">{}</span> ').format(
            COLOURS.get(row.action, ""), row.action
        )
        if not row.row_id:
            return action + "unknown login"
        name = flask.g.names().get((row.noun, row.row_id))
        text = f"{row.noun} #{row.row_id}"
        url = narrowed_url("audit", row_is=row.noun, id_is=row.row_id)
        link = Markup('<a class="name" href="{}">{}</a>').format(url, name or text)
        return action + link + (Markup(' <span class="id">{}</span>').format(text) if name else "")

    def who(self, row: Audit) -> Markup:
        """The principal with its login, and the way."""
        user_id = row.actor.removeprefix(USER)
        name = flask.g.names().get(("user", int(user_id))) if user_id.isdecimal() else None
        link = Markup('<a href="{}">{}</a>').format(
            narrowed_url("audit", by_is=name or row.actor), name or row.actor
        )
        shown = Markup(' <span class="id">{}</span>').format(row.actor) if name else ""
        way = Markup(' <span class="muted">{}</span>').format(WAYS.get(row.via, row.via))
        return link + shown + way


def names_of(entries: list[Audit]) -> dict[tuple[str, int], str]:
    """The names of the rows and users in some entries, as far as the viewer sees them."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        wanted[entry.noun].add(entry.row_id)
        user_id = entry.actor.removeprefix(USER)
        if user_id.isdecimal():
            wanted["user"].add(int(user_id))
    names: dict[tuple[str, int], str] = {}
    for noun_name, ids in wanted.items():
        noun = noun_named(Audited, noun_name)
        if noun is None or not (sight := _sight(noun)):
            continue
        found = select(noun.id, noun.title()).where(noun.id.in_(ids), *sight)
        names |= {(noun_name, row[0]): row[1] for row in sessions.execute(found) if row[1]}
    return names


def _sight(noun: type[Audited]) -> list[Any]:
    """The condition that the viewer sees the name of a row; empty where no row's is seen."""
    if viewer().is_admin:
        return [literal(value=True)]
    if issubclass(noun, User):
        return [noun.id == viewer().id]
    if issubclass(noun, Project):
        return [noun.alive(), in_sight(noun.id)]
    if issubclass(noun, Target):
        return [noun.alive(), in_sight(noun.project_id)]
    return []
