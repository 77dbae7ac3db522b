"""``/admin/trash/``: soft-deleted rows, to restore or to hard-delete."""

from typing import Any

from werkzeug.exceptions import NotFound

from .. import clock
from ..db.session import transaction_scope
from ..models import hard_delete, soft_delete
from ..models.noun import SoftDeletable, noun_named, nouns
from ..models.panel_lists import DELETED
from ..models.soft_delete import RestoreError
from . import context, listing
from .page import Page, done, failed, found, go, path


class TrashPage(Page):
    """A list for each noun, and a confirmation page for the hard delete."""

    @path("/")
    def index(self) -> Any:
        """Deleted rows of a noun, the latest deletion first."""
        name = listing.argument("kind", DELETED) or "project"
        return self.render(
            "trash/index.html",
            listing=listing.read(DELETED[name], "deleted"),
            noun=name,
            tabs={kind.__tablename__: kind.plural.title() for kind in nouns(SoftDeletable)},
        )

    @path("/<noun>/<int:row_id>/restore/", "POST")
    def restore(self, noun: str, row_id: int) -> Any:
        """Restore a row, with the rows that were deleted with it."""
        try:
            soft_delete.restore(context.db(), deletable(noun), row_id)
        except RestoreError as refused:
            context.request().tm.doom()
            failed(f"Not restored: {refused}.")
        else:
            done(f"The {noun} is restored.")
        return go(".index", kind=noun)

    @path("/<noun>/<int:row_id>/")
    def show(self, noun: str, row_id: int) -> Any:
        """The confirmation page: what a hard delete of the row would remove."""
        kind = deletable(noun)
        row = found(hard_delete.find(context.db(), kind, row_id))
        return self.render(
            "trash/show.html",
            noun=noun,
            row=row,
            losses=hard_delete.losses(context.db(), kind, row_id),
        )

    @path("/<noun>/<int:row_id>/remove/", "POST")
    def remove(self, noun: str, row_id: int) -> Any:
        """Hard-delete a row, or as many of its dependent rows as one request has time for."""
        kind = deletable(noun)
        row = found(hard_delete.find(context.db(), kind, row_id))
        # The hard delete uses its own connection.
        context.db().close()
        engine = context.request().registry.engine
        finished = hard_delete.remove(lambda: transaction_scope(engine), kind, row_id, clock.now())
        if row.purged_at is None:
            hard_delete.note(context.db(), clock.now(), kind, row)
        if finished:
            done(f"The {noun} is removed for good.")
        else:
            failed(
                f"The {noun} is large: its removal has begun and cannot be undone. Press "
                "“Go on” for the rest, or leave it to ar_targets_purge --deleted-older-than."
            )
        return go(".index", kind=noun)


def deletable(name: str) -> type[SoftDeletable]:
    """The noun with that name; raises NotFound."""
    noun = noun_named(SoftDeletable, name)
    if noun is None:
        raise NotFound
    return noun
