"""How the last backups ended, one row for successes and one for failures; `/metrics` shows them."""

from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.mysql import BIGINT, DOUBLE, VARCHAR, insert
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base, Moment
from ..db.session import Database

Outcome = Literal["success", "failure"]


class BackupResult(Base):
    """The last backup that ended like this."""

    __tablename__ = "backup_result"
    __table_args__ = (TABLE_OPTIONS,)

    outcome: Mapped[str] = mapped_column(
        VARCHAR(16, charset="ascii", collation="ascii_bin"), primary_key=True
    )
    finished_at: Mapped[Moment]
    seconds: Mapped[float] = mapped_column(DOUBLE)
    # Bytes of the compressed dump; 0 after a failure.
    size: Mapped[int] = mapped_column(BIGINT(unsigned=True))


class BackupResultRecord(NamedTuple):
    """A row as read from the database."""

    outcome: str
    finished_at: datetime
    seconds: float
    size: int


_ALL = select(*[getattr(BackupResult, name) for name in BackupResultRecord._fields])


def everything(db: Database) -> list[BackupResultRecord]:
    """The last success and the last failure, where there were any."""
    return [BackupResultRecord._make(row) for row in db.read(_ALL)]


def store(
    db: Database, outcome: Outcome, finished_at: datetime, seconds: float, size: int = 0
) -> None:
    """Replace the result of the last backup that ended like this one."""
    values = {"finished_at": finished_at, "seconds": seconds, "size": size}
    row = insert(BackupResult).values(outcome=outcome, **values)
    db.write(row.on_duplicate_key_update(values))
