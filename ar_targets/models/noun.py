"""Mixins for mapped classes (nouns), and functions that list them.

A class of `ar_targets.models` declares with these mixins which operations its rows support.
SQLAlchemy's mappers are the registry: the audit trail, soft delete, restore, the purge, counts
and metrics iterate them with `nouns` and `children`, without naming a class.
"""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, Computed, Table, inspect
from sqlalchemy.dialects.mysql import BIGINT, CHAR, INTEGER
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from ..db.base import Base, Id, Moment, Revision

Kind = TypeVar("Kind")


class Revisioned:
    """An id, the times of the row's creation and last change, and a count of its changes."""

    __tablename__: str
    # The plural for messages, and the column by which people know a row.
    plural: ClassVar[str]
    label: ClassVar[str]

    id: Mapped[Id]
    revision: Mapped[Revision]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    @classmethod
    def title(cls) -> ColumnElement[str]:
        """The text to show for a row: its label."""
        column: InstrumentedAttribute[str] = getattr(cls, cls.label)
        return column.expression

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """The condition that a row is live: neither deleted nor revoked."""
        raise NotImplementedError


class Audited(Revisioned):
    """Each change leaves an entry in the audit trail (`ar_targets.models.audit`)."""

    # Columns whose values an entry shows.
    audited: ClassVar[tuple[str, ...]] = ()
    # Columns whose values an entry hides, and the name under which it says that they were set.
    audited_as_set: ClassVar[Mapping[str, str]] = {}


class Owned(Revisioned):
    """A row with a parent row of another noun, to which it has a foreign key."""

    parent_key: ClassVar[str]

    @classmethod
    def parent_id(cls) -> InstrumentedAttribute[int]:
        """The column with the parent's id."""
        column: InstrumentedAttribute[int] = getattr(cls, cls.parent_key)
        return column


class SoftDeletable(Revisioned):
    """A row that is soft-deleted, and can be restored (`ar_targets.models.soft_delete`)."""

    deleted_at: Mapped[Moment | None]
    # Maximum rows that the purge removes in one transaction; None for its default.
    purge_batch: ClassVar[int | None] = None

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """The condition that it is not deleted."""
        return cls.deleted_at.is_(None)


class Restorable(SoftDeletable, Owned):
    """A row that clients can list by id while it is deleted, and restore."""

    # For the index of that list; NULL in no row, but MariaDB has no generated column without NULL.
    is_deleted: Mapped[bool] = mapped_column(
        Computed("deleted_at IS NOT NULL", persisted=False), nullable=True
    )


class DeletedWithParent(SoftDeletable, Owned):
    """A row that is soft-deleted with its parent, so that its unique label is free again.

    Rows of other nouns are not updated: every statement that reads them for clients checks that
    their parent is live.
    """

    # Distinguishes rows to be restored with the parent from those deleted before it.
    deleted_with_parent: Mapped[bool]


class Purgeable(SoftDeletable):
    """A soft-deletable row with child rows of other nouns, which are removed before it."""

    # Set when the removal begins: from then on the row cannot be restored.
    purged_at: Mapped[Moment | None]


class Expiring:
    """A row with an expiry time, after which the purge removes it."""

    # The purge's name for such rows.
    expired: ClassVar[str]

    expires_at: Mapped[Moment]


class Revocable(Revisioned):
    """A row that can be revoked; then the purge removes it."""

    revoked_at: Mapped[Moment | None]

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """The condition that it is not revoked; an expired one can be extended."""
        return cls.revoked_at.is_(None)


class RevokedWithCreator(Revocable, Owned):
    """A row that is revoked when the row of another noun is deleted that has made it."""

    # The table of the noun that makes them.
    creator: ClassVar[str]

    # NULL for a row that stays whoever is deleted. No foreign key, so that the column could be
    # added instantly; the id of a purged row is in revoked rows at most.
    created_by: Mapped[int | None] = mapped_column(BIGINT)


class Leased:
    """A row that a worker takes for some time (`ar_targets.jobs.lease`), and then changes.

    A worker that dies leaves the lease to run out; then another one takes the row.
    """

    # How often it was taken without coming to an end.
    tries: Mapped[int] = mapped_column(INTEGER(unsigned=True), server_default="0")
    # Random, and known to its holder alone; NULL for a row that nobody works on.
    lease: Mapped[str | None] = mapped_column(CHAR(32, charset="ascii", collation="ascii_bin"))
    leased_until: Mapped[Moment | None]


def nouns(kind: type[Kind]) -> list[type[Kind]]:
    """The mapped classes that have a mixin, parents before children."""
    return [noun for noun in _mapped() if issubclass(noun, kind)]


@functools.cache
def _mapped() -> list[type[Any]]:
    """All mapped classes, parents before children: SQLAlchemy sorts tables anew on each access.

    They are complete as soon as `ar_targets.models` is imported.
    """
    tables = Base.metadata.sorted_tables
    classes = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted(classes, key=lambda noun: tables.index(table(noun)))


def noun_named(kind: type[Kind], name: str) -> type[Kind] | None:
    """The class with that mixin and table, or None."""
    return next((noun for noun in nouns(kind) if table(noun).name == name), None)


def children(noun: type[Revisioned]) -> list[type[Owned]]:
    """The nouns whose parent is this one."""
    return [child for child in nouns(Owned) if parent(child) is noun]


def parent(noun: type[Owned]) -> type[SoftDeletable]:
    """The noun to which this one's foreign key refers."""
    (key,) = table(noun).columns[noun.parent_key].foreign_keys
    return next(above for above in nouns(SoftDeletable) if table(above) is key.column.table)


def index_by_parent(noun: type[Owned]) -> str:
    """The index of a soft-deletable noun's rows by parent, live ones first, each by id."""
    return f"ix_{table(noun).name}_{noun.parent_key}_deleted_at_id"


def revoked_along(noun: type[Revisioned]) -> list[type[RevokedWithCreator]]:
    """The nouns whose rows are revoked with the row of this one that has made them."""
    name = table(noun).name
    return [made for made in nouns(RevokedWithCreator) if made.creator == name]


def table(noun: type[Any]) -> Table:
    """The table that a class is mapped to."""
    mapped: Table = inspect(noun).local_table
    return mapped
