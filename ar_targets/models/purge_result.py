"""What purges have removed so far: one row for each kind of thing. `/metrics` shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, select
from sqlalchemy.dialects.mysql import BIGINT, VARCHAR
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Database
from .meta import TABLE_OPTIONS, Base, Moment
from .statement import Query

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
    finished_at: str | None


purge_result = cast("Table", PurgeResult.__table__)

_ALL = Query(
    PurgeResultRecord._make,
    select(*[purge_result.c[name] for name in PurgeResultRecord._fields]),
)
_ADD = """
INSERT INTO purge_result (kind, removed, finished_at)
VALUES (%(kind)s, %(removed)s, %(finished_at)s)
ON DUPLICATE KEY UPDATE
    removed = removed + %(removed)s, finished_at = COALESCE(%(finished_at)s, finished_at)
""".strip()


def everything(db: Database) -> list[PurgeResultRecord]:
    """All rows; there are no more than kinds."""
    return _ALL.all(db)


def add(db: Database, removed: Mapping[str, int], finished_at: datetime | None) -> None:
    """Add what a run has removed of each kind; with the moment of its end if it got there."""
    for kind, number in removed.items():
        db.run(_ADD, {"kind": kind, "removed": number, "finished_at": finished_at})
