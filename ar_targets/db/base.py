"""What all tables share: the declarative base, names of constraints, column types."""

import hashlib
import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import MetaData
from sqlalchemy.dialects.mysql import BIGINT, DATETIME, INTEGER
from sqlalchemy.orm import DeclarativeBase, mapped_column

# The largest value of a BIGINT column: no id is above it.
MAX_ID = 2**63 - 1
ID = re.compile(r"[1-9][0-9]{0,18}")

# Constraint names that do not depend on the server, so that migrations can refer to them.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# unicode_ci exists, under this name, on MySQL and MariaDB alike. It is only for searches;
# uniqueness is decided by `fold`, never by a collation.
TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
    "mysql_row_format": "DYNAMIC",
}

# Maximum bytes of a TEXT column.
TEXT_MAX_BYTES = 65_535

Id = Annotated[int, mapped_column(BIGINT, primary_key=True, autoincrement=True)]
Moment = Annotated[datetime, mapped_column(DATETIME(fsp=6))]
# The number of changes of a row: part of the strong ETag, and checked for If-Match.
Revision = Annotated[int, mapped_column(INTEGER(unsigned=True), server_default="1")]


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    __table_args__: Any = TABLE_OPTIONS


def parse_id(text: str) -> int | None:
    """The id in a text, or None if it is not in canonical decimal form: no sign, no 007, no ٣."""
    if not ID.fullmatch(text) or (number := int(text)) > MAX_ID:
        return None
    return number


def folded(text: str) -> bytes:
    """A text's Unicode case folding in NFC, as UTF-8: equal for texts that differ only in case.

    The order of these bytes is that of code points. A collation is not suitable: MySQL's and
    MariaDB's differ, most treat é as e, and all of them ignore trailing spaces or weigh them
    differently.
    """
    normal = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return normal.encode()


def fold(text: str) -> bytes:
    """A key of 32 bytes, the SHA-256 of `folded`: for texts that are compared, but not sorted."""
    return hashlib.sha256(folded(text)).digest()


def digest(secret: str) -> bytes:
    """The SHA-256 of a random secret, as the key of its row: the table gives no access."""
    return hashlib.sha256(secret.encode()).digest()
