"""What a noun is: mixins for mapped classes, and the list of all that are mapped.

A class of `ar_targets.models` says with these mixins what can be done with its rows.
SQLAlchemy's mappers are the registry: the audit trail, soft delete, restore, the purge, counts
and metrics iterate them with `nouns` and `children`, and name no noun.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, Table, inspect
from sqlalchemy.orm import InstrumentedAttribute, Mapped

from ..db.base import Base, Id, Moment, Revision

Kind = TypeVar("Kind")


class Revisioned:
    """An id, the moments of the row's creation and last change, and a count of its changes."""

    __tablename__: str
    # What several are called in messages, and the column by which people know one.
    plural: ClassVar[str]
    label: ClassVar[str]

    id: Mapped[Id]
    revision: Mapped[Revision]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """Whether a row can be changed: is not deleted, or revoked."""
        raise NotImplementedError


class Audited(Revisioned):
    """Each change leaves an entry in the audit trail (`ar_targets.models.audit`)."""

    # Columns whose values an entry shows.
    audited: ClassVar[tuple[str, ...]] = ()
    # Columns of which an entry says that they were set, and under which name.
    audited_as_set: ClassVar[Mapping[str, str]] = {}


class Owned(Revisioned):
    """A row below a row of another noun, which it refers to by a foreign key."""

    parent_key: ClassVar[str]

    @classmethod
    def parent_id(cls) -> InstrumentedAttribute[int]:
        """The column with the parent's id."""
        column: InstrumentedAttribute[int] = getattr(cls, cls.parent_key)
        return column


class SoftDeletable(Revisioned):
    """A row that is deleted by a mark, and can be restored (`ar_targets.models.soft_delete`)."""

    deleted_at: Mapped[Moment | None]
    # Rows that the purge removes in one transaction at most; None for as many as it likes.
    purge_batch: ClassVar[int | None] = None

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """Whether it is not deleted."""
        return cls.deleted_at.is_(None)


class DeletedWithParent(SoftDeletable, Owned):
    """A row that is marked when its parent is deleted, so that its unique label is free again.

    Rows of other nouns stay as they are: every statement that serves them asks whether their
    parent is alive.
    """

    # Tells what comes back with the parent from what had been deleted before.
    deleted_with_parent: Mapped[bool]


class Purgeable(SoftDeletable):
    """A soft-deletable row with rows of other nouns below it, which are removed before it."""

    # Set when that begins: from then on nothing can be restored.
    purged_at: Mapped[Moment | None]


class Expiring:
    """A row that is of no use any more from a moment on; then the purge removes it."""

    # What the purge calls those rows.
    expired: ClassVar[str]

    expires_at: Mapped[Moment]


class Revocable(Revisioned):
    """A row that can be made invalid for good; then the purge removes it."""

    revoked_at: Mapped[Moment | None]

    @classmethod
    def alive(cls) -> ColumnElement[bool]:
        """Whether it is not revoked; an expired one can be extended."""
        return cls.revoked_at.is_(None)


def nouns(kind: type[Kind]) -> list[type[Kind]]:
    """The mapped classes that have a mixin, parents before children."""
    tables = Base.metadata.sorted_tables
    mapped = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, kind)]
    return sorted(mapped, key=lambda noun: tables.index(table(noun)))


def noun_named(kind: type[Kind], name: str) -> type[Kind] | None:
    """The class with that mixin and table."""
    return next((noun for noun in nouns(kind) if table(noun).name == name), None)


def children(noun: type[Revisioned]) -> list[type[Owned]]:
    """The nouns whose rows are below this one's."""
    return [child for child in nouns(Owned) if parent(child) is noun]


def parent(noun: type[Owned]) -> type[SoftDeletable]:
    """The noun whose rows are above this one's."""
    (key,) = table(noun).columns[noun.parent_key].foreign_keys
    return next(above for above in nouns(SoftDeletable) if table(above) is key.column.table)


def table(noun: type[Any]) -> Table:
    """The table that a class is mapped to."""
    mapped: Table = inspect(noun).local_table
    return mapped
