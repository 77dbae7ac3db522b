"""What purges have removed so far: one row for each kind of thing. `/metrics` shows them."""

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
    """One kind of thing, as `Pile.name` names it."""

    __tablename__ = "purge_result"
    __table_args__ = (TABLE_OPTIONS,)

    kind: Mapped[str] = mapped_column(
        VARCHAR(KIND_MAX, charset="ascii", collation="ascii_bin"), primary_key=True
    )
    # By all runs together.
    removed: Mapped[int] = mapped_column(BIGINT(unsigned=True))
    # When a run last came to its end; NULL where all have failed.
    finished_at: Mapped[Moment | None]


class PurgeResultRecord(NamedTuple):
    """A row as read from the database."""

    kind: str
    removed: int
    finished_at: datetime | None


_ALL = select(*[getattr(PurgeResult, name) for name in PurgeResultRecord._fields])


def everything(db: Database) -> list[PurgeResultRecord]:
    """All rows; there are no more than kinds."""
    return [PurgeResultRecord._make(row) for row in db.read(_ALL)]


def add(db: Database, removed: Mapping[str, int], finished_at: datetime | None) -> None:
    """Add what a run has removed of each kind; with the moment of its end if it got there."""
    for kind, number in removed.items():
        row = insert(PurgeResult).values(kind=kind, removed=number, finished_at=finished_at)
        more = {"removed": PurgeResult.removed + row.inserted.removed}
        if finished_at is not None:
            more["finished_at"] = row.inserted.finished_at
        db.write(row.on_duplicate_key_update(more))
