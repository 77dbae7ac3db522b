"""``/admin/audit/``: who did what to which row, and when."""

from typing import Any

import orjson

from ..db.base import parse_id
from ..models.noun import Audited, nouns
from ..models.panel_lists import AUDIT
from . import context, listing
from .page import Page, path

NOUNS = {noun.__tablename__: noun.plural.title() for noun in nouns(Audited)}
ACTIONS = (
    "create",
    "change",
    "delete",
    "restore",
    "revoke",
    "remove",
    "login",
    "login failed",
)
WAYS = {"api": "API", "admin": "Panel", "script": "Scripts"}


class AuditPage(Page):
    """The audit trail, newest entry first."""

    @path("/")
    def index(self) -> Any:
        """List all entries, or those of one row or one user."""
        noun = listing.argument("noun", NOUNS)
        row_id = parse_id(listing.argument("row")) if noun else None
        # A column of ASCII cannot be compared with anything else.
        actor = listing.argument("actor").encode("ascii", "replace").decode()
        action = listing.argument("action", dict.fromkeys(ACTIONS))
        via = listing.argument("via", WAYS)
        # One of row, actor or id determines the index; the other conditions become filters.
        course = "row" if row_id else "actor" if actor else "id"
        filters = {
            "noun": bool(noun) and not row_id,
            "actor": bool(actor and row_id),
            "action": bool(action),
            "via": bool(via),
        }
        found = listing.read(
            AUDIT,
            course,
            order="id",
            filters=tuple(name for name, wanted in filters.items() if wanted),
            noun=noun,
            row_id=row_id,
            actor=actor,
            action=action,
            via=via,
        )
        return self.render(
            "audit/index.html",
            listing=found,
            details=details,
            nouns=NOUNS,
            actions={name: name for name in ACTIONS},
            ways=WAYS,
            chosen={"noun": noun, "action": action, "via": via},
            row_id=row_id,
            actor=actor,
            days=context.settings().audit_days,
        )


def details(text: str) -> list[tuple[str, Any]]:
    """The changed fields and their new values, from an entry's JSON."""
    found: dict[str, Any] = orjson.loads(text)
    return list(found.items())
