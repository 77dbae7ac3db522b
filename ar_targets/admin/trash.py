"""``/admin/trash/``: soft-deleted rows, a list for each noun, to restore or to remove for good."""

from collections.abc import Mapping
from typing import Any, ClassVar

import flask
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, false, select, true
from sqlalchemy.orm import Query, contains_eager

from .. import clock
from ..db.session import Database, transaction_scope
from ..models import hard_delete, soft_delete
from ..models.noun import Owned, Purgeable, SoftDeletable, index_by_parent, parent
from ..models.target import Target
from ..models.user import User
from . import context, template_filters
from .context import db, sessions
from .noun_view import Count, NounView
from .page import Page, action, done, failed, go, path
from .picture import small_picture, with_sha256
from .role import Role, has_role, viewer, writable


class TrashPage(Page):
    """The entry of the menu."""

    def __init__(self, lists: "list[DeletedView]", **options: Any) -> None:
        super().__init__(**options)
        self.lists = lists

    @path("/")
    def index(self) -> Any:
        """Redirect to the first list in which there is something."""
        tabs = self.lists[0].tabs()
        full = next((view for view, count in tabs if count.number), tabs[0][0])
        return go(f"{full.endpoint}.index_view")


class DeletedView(NounView):
    """Soft-deleted rows of one noun, the latest deletion first."""

    title = "Trash"
    empty = "Nothing of this kind is in the trash."
    list_template = "trash/list.html"
    can_create = False
    can_edit = False
    can_delete = False
    can_view_details = False
    column_labels: ClassVar[dict[str, str]] = {
        "picture": "Image",
        "label": "What",
        "deleted_at": "Deleted",
    }
    latest_first: Any = [("deleted_at", True), ("id", True)]  # noqa: RUF012
    column_sortable_list = (("deleted_at", ("deleted_at", "id")),)
    column_formatters: ClassVar[dict[str, Any]] = {
        "picture": lambda _view, _context, row, _name: row,
        "label": lambda view, _context, row, _name: view.shown_label(row),
        "parent": lambda view, _context, row, _name: view.parent_title(row),
    }

    def __init__(
        self, noun: type[SoftDeletable], lists: "list[DeletedView]", **options: Any
    ) -> None:
        """``lists`` are the views of all nouns, for the tabs."""
        self.lists = lists
        self.noun, self.singular = noun, noun.__tablename__
        self.only_administrators = not issubclass(noun, Owned)
        self.pictured = issubclass(noun, Target)
        self.column_list = ("label", "parent", "deleted_at")
        if self.pictured:
            self.column_list = ("picture", *self.column_list)
        if self.only_administrators:
            self.column_list = ("label", "deleted_at")
        self.column_export_list = ("id", noun.label, "deleted_at")
        super().__init__(noun, **options)

    def tabs(self) -> "list[tuple[DeletedView, Count]]":
        """The lists that the viewer may open, and how many rows each has."""
        return [(view, view.count()) for view in self.lists if view.is_accessible()]

    def rows(self) -> Query[Any]:
        """Deleted rows that the viewer may restore."""
        query = sessions.query(self.noun).filter(self.noun.deleted_at.is_not(None))
        if issubclass(self.noun, Owned):
            above = getattr(self.noun, relationship_to_parent(self.noun))
            query = query.outerjoin(above).options(contains_eager(above))
        return query.filter(restorable(self.noun))

    def first_ids(self, given: Mapping[str, str], *, descending: bool) -> Select[int] | None:
        """The first deleted rows in sight, from an index alone, of nouns that have the index."""
        noun = self.noun
        if given or viewer().is_admin or not self.pictured or not issubclass(noun, Owned):
            return None
        gone = select(noun.id).with_hint(noun, f"FORCE INDEX ({index_by_parent(noun)})")
        gone = gone.where(noun.deleted_at.is_not(None), writable(noun.parent_id()))
        if descending:
            return gone.order_by(noun.deleted_at.desc(), noun.id.desc())
        return gone.order_by(noun.deleted_at, noun.id)

    @action("restore", "Restore")
    def action_restore(self, ids: list[str]) -> None:
        """Restore rows, with those that were deleted with them."""
        back = self.each(self.several(ids), restore)
        if back:
            done(f"{self.called(back)}: restored.")

    @action("remove", "Remove for good …")
    def confirm_removal(self, ids: list[str]) -> Any:
        """Ask once more: what a hard delete would remove."""
        rows = self.several(ids)
        if not rows:
            return None
        losses = [hard_delete.losses(db(), self.noun, row.id) for row in rows]
        return self.render("trash/remove.html", rows=rows, losses=losses)

    @path("/remove/", "POST")
    def remove(self) -> Any:
        """Hard-delete rows, or as many of their dependent rows as one request has time for."""
        rows = self.several(flask.request.form.getlist("rowid"))
        told = "only the owner of its project removes it for good"
        for row in self.permitted(rows, self.may_remove, told):
            self.remove_row(row)
        return go(".index_view")

    def remove_row(self, row: Any) -> None:
        """Hard-delete a row, or a part of what is below it."""
        begun = isinstance(row, Purgeable) and row.purged_at is not None
        label, engine = self.label(row), context.request().registry.engine
        # The hard delete has transactions of its own.
        context.release()
        finished = hard_delete.remove(
            lambda: transaction_scope(engine), self.noun, row.id, clock.now()
        )
        if not begun:
            context.write(lambda database: hard_delete.note(database, clock.now(), self.noun, row))
        if finished:
            done(f"{label}: removed for good.")
        else:
            failed(
                f"{label} is large: its removal has begun and cannot be undone. Remove it again "
                "for the rest, or leave it to ar_targets_purge --deleted-older-than."
            )

    def may_remove(self, row: Any) -> bool:
        """Whether the viewer may remove it for good: administrators, and the owner."""
        if viewer().is_admin or not isinstance(row, Target):
            return True
        return has_role(row.project_id, Role.OWNER)

    @path("/<int:target_id>/thumbnail/<sha256>.jpg")
    def thumbnail(self, target_id: int, sha256: str) -> Any:
        """The thumbnail of a deleted target."""
        row = self.get_one(str(target_id)) if self.pictured else None
        return small_picture(with_sha256(row, sha256))

    def label(self, row: Any) -> str:
        """Its label, or its description, or its id."""
        text = getattr(row, self.noun.label) or getattr(row, "description", "")
        return template_filters.short(text) or f"{self.singular} #{row.id}"

    def shown_label(self, row: Any) -> Markup:
        """The label, and whether it is being removed."""
        removing = isinstance(row, Purgeable) and row.purged_at is not None
        note = Markup(' <span class="badge revoked">being removed</span>') if removing else ""
        return (
            Markup('<span class="name">{}</span> <span class="id">#{}</span>').format(
                self.label(row), row.id
            )
            + note
        )

    def parent_title(self, row: Any) -> str:
        """The label of its parent."""
        above = getattr(row, relationship_to_parent(type(row)))
        return str(getattr(above, type(above).label))


def restore(database: Database, row: SoftDeletable) -> None:
    """Restore a row. Raises RestoreError."""
    soft_delete.restore(database, type(row), row.id)


def restorable(noun: type[SoftDeletable]) -> ColumnElement[bool]:
    """The condition that the viewer may restore a deleted row.

    The owner of what belongs to a user; the owner and editors of a live project.
    """
    if viewer().is_admin:
        return true()
    if not issubclass(noun, Owned):
        return false()
    above = parent(noun)
    if above is User:
        return noun.parent_id() == viewer().id
    return above.alive() & writable(noun.parent_id())


def relationship_to_parent(noun: type[Owned]) -> str:
    """The name of the relationship beside the foreign key: ``owner`` beside ``owner_id``."""
    return noun.parent_key.removesuffix("_id")
