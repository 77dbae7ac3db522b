"""Results of all purges so far, one row per kind of removed rows; `/metrics` shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.mysql import BIGINT, VARCHAR, insert
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base, Moment
from ..db.session import Database

KIND_MAX = 64


class PurgeResult(Base):
    """The results for one kind of removed rows, as `Removal.name` names it."""

    __tablename__ = "purge_result"
    __table_args__ = (TABLE_OPTIONS,)

    kind: Mapped[str] = mapped_column(
        VARCHAR(KIND_MAX, charset="ascii", collation="ascii_bin"), primary_key=True
    )
    # Total of all runs.
    removed: Mapped[int] = mapped_column(BIGINT(unsigned=True))
    # The end of the last complete run; NULL where there was none.
    finished_at: Mapped[Moment | None]


class PurgeResultRecord(NamedTuple):
    """A row as read from the database."""

    kind: str
    removed: int
    finished_at: datetime | None


_ALL = select(*[getattr(PurgeResult, name) for name in PurgeResultRecord._fields])


def everything(db: Database) -> list[PurgeResultRecord]:
    """All rows, one per kind."""
    return [PurgeResultRecord._make(row) for row in db.read(_ALL)]


def add(db: Database, removed: Mapping[str, int], finished_at: datetime | None) -> None:
    """Add the numbers that a run has removed; ``finished_at`` is None where it failed."""
    for kind, number in removed.items():
        row = insert(PurgeResult).values(kind=kind, removed=number, finished_at=finished_at)
        more = {"removed": PurgeResult.removed + row.inserted.removed}
        if finished_at is not None:
            more["finished_at"] = row.inserted.finished_at
        db.write(row.on_duplicate_key_update(more))
