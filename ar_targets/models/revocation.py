"""Revoking several rows at once, each with its audit entry."""

from sqlalchemy import ColumnElement, select, update

from .. import clock
from ..db.session import Database
from . import audit
from .change import counted
from .noun import Revocable


def revoke_all(db: Database, noun: type[Revocable], *conditions: ColumnElement[bool]) -> int:
    """Revoke the rows for which the conditions are true; returns their number.

    They are locked first, so that their entries are as many as the changes. Expired ones are
    revoked too: they could be extended.
    """
    found = select(noun.id).where(noun.alive(), *conditions).with_for_update()
    ids = [row[0] for row in db.write(found)]
    if ids:
        # Not before: the locks may have waited for rows that were just being created.
        now = clock.now()
        these = noun.id.in_(ids)
        db.write(update(noun).where(these).values(counted(noun, now, revoked_at=now)))
        audit.record_all(db, now, "revoke", noun, these)
    return len(ids)
