"""``/admin/trash/``: what was deleted; back to life, or removed for good."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from werkzeug.exceptions import NotFound

from .. import clock
from ..db.session import transaction_scope
from ..models import hard_delete, soft_delete
from ..models.keyset import Browser
from ..models.panel_lists import DELETED_PROJECTS, DELETED_TARGETS, DELETED_USERS, DeletedRow
from ..models.soft_delete import RestoreError
from . import bridge, listing
from .page import Page, done, failed, found, go, path


class Kind(NamedTuple):
    """What can lie in the trash."""

    noun: str
    plural: str
    browser: Browser[DeletedRow]
    restore: Callable[..., object]


KINDS: Mapping[str, Kind] = {
    kind.noun: kind
    for kind in (
        Kind("project", "Projects", DELETED_PROJECTS, soft_delete.restore_project),
        Kind("target", "Targets", DELETED_TARGETS, soft_delete.restore_target),
        Kind("user", "Users", DELETED_USERS, soft_delete.restore_user),
    )
}


class TrashPage(Page):
    """A list for each kind, and a page that asks before anything is lost."""

    @path("/")
    def index(self) -> Any:
        """Deleted rows of a kind, the latest deletion first."""
        kind = KINDS[listing.argument("kind", KINDS) or "project"]
        return self.render(
            "trash/index.html",
            listing=listing.read(kind.browser, "deleted"),
            kind=kind,
            kinds=KINDS.values(),
        )

    @path("/<noun>/<int:row_id>/restore/", "POST")
    def restore(self, noun: str, row_id: int) -> Any:
        """Bring it back, with what was deleted along with it."""
        kind = kind_named(noun)
        try:
            kind.restore(bridge.db(), row_id)
        except RestoreError as refused:
            bridge.request().tm.doom()
            failed(f"Not restored: {refused}.")
        else:
            done(f"The {noun} is restored.")
        return go(".index", kind=noun)

    @path("/<noun>/<int:row_id>/")
    def show(self, noun: str, row_id: int) -> Any:
        """What would be lost for good; asks."""
        kind = kind_named(noun)
        row = found(hard_delete.find(bridge.db(), noun, row_id))
        return self.render(
            "trash/show.html",
            kind=kind,
            row=row,
            losses=hard_delete.losses(bridge.db(), noun, row_id),
        )

    @path("/<noun>/<int:row_id>/remove/", "POST")
    def remove(self, noun: str, row_id: int) -> Any:
        """Remove it for good, or as much of it as a request has time for."""
        kind_named(noun)
        row = found(hard_delete.find(bridge.db(), noun, row_id))
        # The removal takes a connection of its own.
        bridge.db().close()
        engine = bridge.request().registry.engine
        finished = hard_delete.remove(lambda: transaction_scope(engine), noun, row_id, clock.now())
        if row.purged_at is None:
            hard_delete.note(bridge.db(), clock.now(), noun, row)
        if finished:
            done(f"The {noun} is removed for good.")
        else:
            failed(
                f"The {noun} is large: its removal has begun and cannot be undone. Press "
                "“Go on” for the rest, or leave it to ar_targets_purge --deleted-older-than."
            )
        return go(".index", kind=noun)


def kind_named(noun: str) -> Kind:
    """The kind that a path names; raises 404."""
    if noun not in KINDS:
        raise NotFound
    return KINDS[noun]
