"""Thumbnails of targets for the admin panel: created on first view, removed with the target.

They are stored apart from the targets, whose rows the API reads. The checksum tells which image a
thumbnail was made from; that of a replaced image is overwritten.
"""

from typing import cast

from sqlalchemy import ForeignKey, bindparam, select
from sqlalchemy.dialects.mysql import BIGINT, CHAR, MEDIUMBLOB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import TABLE_OPTIONS, Base
from ..db.session import Database


class Thumbnail(Base):
    """The thumbnail of one target."""

    __tablename__ = "thumbnail"
    __table_args__ = TABLE_OPTIONS

    target_id: Mapped[int] = mapped_column(
        BIGINT, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sha256: Mapped[str] = mapped_column(CHAR(64, charset="ascii", collation="ascii_bin"))
    picture: Mapped[bytes] = mapped_column(MEDIUMBLOB)


_FIND = select(Thumbnail.picture).where(
    Thumbnail.target_id == bindparam("target_id"), Thumbnail.sha256 == bindparam("sha256")
)


def find(db: Database, target_id: int, sha256: str) -> bytes | None:
    """The thumbnail of a target's image, or None."""
    rows = db.read(_FIND, target_id=target_id, sha256=sha256)
    return cast("bytes", rows[0][0]) if rows else None


def keep(db: Database, target_id: int, sha256: str, picture: bytes) -> None:
    """Store a thumbnail, or replace it. Raises IntegrityError if the target is purged."""
    made = insert(Thumbnail).values(target_id=target_id, sha256=sha256, picture=picture)
    db.write(made.on_duplicate_key_update(sha256=made.inserted.sha256, picture=picture))
