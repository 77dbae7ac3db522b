"""The audit trail: who did what to which row, and when.

An entry is written in the transaction of its change, so there is never one without the other. It
contains no secrets: of a password, only that it was set; of an image, its checksum.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Index, insert, literal, select
from sqlalchemy.dialects.mysql import BIGINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base, Id, Moment
from ..db.session import Database, Principal
from .noun import Audited, Revisioned

# An IPv6 address has up to 45 characters; a proxy may send longer texts.
ADDRESS_MAX = 64
# Maximum characters of a text in an entry; a description may have thousands.
TEXT_MAX = 200
# Enough for six columns in JSON, with every character escaped.
DETAILS_MAX = 4000


class Audit(Base):
    """One change of one row."""

    __tablename__ = "audit"
    __table_args__ = (
        # For the purge; for the history of a row; for the changes of a principal; by action.
        Index("ix_audit_at", "at"),
        Index("ix_audit_noun_row_id_id", "noun", "row_id", "id"),
        Index("ix_audit_actor_id", "actor", "id"),
        Index("ix_audit_action_id", "action", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[Id]
    at: Mapped[Moment]
    actor: Mapped[str] = mapped_column(VARCHAR(32, charset="ascii", collation="ascii_bin"))
    via: Mapped[str] = mapped_column(VARCHAR(8, charset="ascii", collation="ascii_bin"))
    address: Mapped[str | None] = mapped_column(VARCHAR(ADDRESS_MAX))
    request_id: Mapped[str | None] = mapped_column(VARCHAR(128))
    action: Mapped[str] = mapped_column(VARCHAR(16, charset="ascii", collation="ascii_bin"))
    # The row's table and id. No foreign key: the entry remains when the row is removed.
    noun: Mapped[str] = mapped_column(VARCHAR(16, charset="ascii", collation="ascii_bin"))
    row_id: Mapped[int] = mapped_column(BIGINT)
    # A JSON object: the new values of the columns that were set.
    details: Mapped[str] = mapped_column(VARCHAR(DETAILS_MAX))


class AuditRecord(NamedTuple):
    """An entry as read from the database."""

    id: int
    at: datetime
    actor: str
    via: str
    address: str | None
    request_id: str | None
    action: str
    noun: str
    row_id: int
    details: str


COLUMNS = [getattr(Audit, name) for name in AuditRecord._fields]
_INSERT = insert(Audit)


def record(
    db: Database,
    now: datetime,
    action: str,
    noun: type[Revisioned],
    row_id: int,
    values: Mapping[str, object],
) -> None:
    """Write an entry, if the noun is `Audited`: ``values`` are the columns that were set.

    ``action`` is ``create``, ``change``, ``delete``, ``restore``, ``revoke`` or ``remove``; of a
    user ``login``, ``login failed`` or ``password link``, too.
    """
    if db.principal is not None and issubclass(noun, Audited):
        details = orjson.dumps(_details(action, noun, values)).decode()
        entry = _entry(db.principal(), now, action, details)
        db.write(_INSERT, **entry, noun=noun.__tablename__, row_id=row_id)


def record_all(
    db: Database, now: datetime, action: str, noun: type[Revisioned], these: ColumnElement[bool]
) -> None:
    """Write an entry about each row of a condition, in one statement; they show no values."""
    if db.principal is not None and issubclass(noun, Audited):
        entry = _entry(db.principal(), now, action, "{}") | {"noun": noun.__tablename__}
        row = select(*(literal(value, getattr(Audit, name).type) for name, value in entry.items()))
        db.write(
            insert(Audit).from_select([*entry, "row_id"], row.add_columns(noun.id).where(these))
        )


def _entry(principal: Principal, now: datetime, action: str, details: str) -> dict[str, object]:
    """The columns of an entry, except those that identify the changed row."""
    return {
        "at": now,
        "actor": principal.name,
        "via": principal.via,
        "address": principal.address and principal.address[:ADDRESS_MAX],
        "request_id": principal.request_id,
        "action": action,
        "details": details,
    }


def action_of(values: Mapping[str, object]) -> str:
    """The action of an update that sets these columns of a live row."""
    if "deleted_at" in values:
        return "delete"
    return "revoke" if "revoked_at" in values else "change"


def _details(action: str, noun: type[Audited], values: Mapping[str, object]) -> dict[str, Any]:
    """The details of an entry; foreign keys are named without the ``_id`` of the column."""
    shown: dict[str, Any] = {
        column.removesuffix("_id"): value[:TEXT_MAX] if isinstance(value, str) else value
        for column in noun.audited
        if (value := values.get(column)) is not None
    }
    if action != "create":
        shown |= {name: "set" for column, name in noun.audited_as_set.items() if column in values}
    return shown
