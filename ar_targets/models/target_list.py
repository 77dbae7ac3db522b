"""The list of a project's image targets: filters, and keyset pagination by id or by name.

Each statement reads one index: by name, by SHA-256, or by id. ``active`` filters what it finds.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, null, or_, select

from ..db.session import Database
from . import target as targets
from .target import Target, TargetRecord

# Maximum bytes of metadata in a page.
METADATA_MAX_BYTES = 8 * 2**20
# Above every byte of UTF-8.
END = b"\xff"


class TargetFilter(NamedTuple):
    """Which targets a list holds; None for any. With ``name_prefix`` it is ordered by name."""

    name: str | None = None
    name_prefix: str | None = None
    active: bool | None = None
    sha256: str | None = None
    deleted: bool = False


class ListedTarget(NamedTuple):
    """A target in a list; ``deleted_at`` is None where it is live."""

    record: TargetRecord
    # `targets.name_key`; empty where the list is not ordered by name.
    key: bytes
    deleted_at: datetime | None

    @property
    def id(self) -> int:
        """Its id."""
        return self.record.id


_WITH_NAME: ColumnElement[bool] = Target.name_key == bindparam("name_key")
_BY_NAME = (
    Target.name_key >= bindparam("first"),
    Target.name_key < bindparam("end"),
    or_(Target.name_key > bindparam("after_key"), Target.id > bindparam("after")),
)
_WITH_SHA256 = Target.sha256 == bindparam("sha256")
_ACTIVE: ColumnElement[bool] = Target.active == bindparam("active")
_METADATA = select(Target.id, Target.metadata_text).where(
    Target.id.in_(bindparam("ids", expanding=True)), Target.metadata_size > 0
)


def page(
    db: Database,
    project_id: int,
    chosen: TargetFilter,
    count: int,
    after: int = 0,
    after_key: bytes = b"",
) -> list[ListedTarget]:
    """Up to ``count`` targets past the id ``after``, or past that id and name in their order."""
    values: dict[str, Any] = {"deleted": chosen.deleted, "after": after, "count": count}
    if chosen.name is not None:
        values["name_key"] = targets.name_key(chosen.name)
    if chosen.name_prefix is not None:
        prefix = targets.name_key(chosen.name_prefix)
        values |= {"first": max(prefix, after_key), "end": prefix + END, "after_key": after_key}
    if chosen.active is not None:
        values["active"] = chosen.active
    if chosen.sha256 is not None:
        values["sha256"] = chosen.sha256
    given = tuple(value is not None for value in chosen[:4])
    rows = db.read(_page(*given), project_id=project_id, **values)
    return [ListedTarget(TargetRecord._make(row[:-2]), row[-2] or b"", row[-1]) for row in rows]


@functools.cache
def _page(name: bool, name_prefix: bool, active: bool, sha256: bool) -> Select[Any]:  # noqa: FBT001
    """The statement of a page, by the filters that are given."""
    index = "name_key_id" if name or name_prefix else "sha256_id" if sha256 else "id"
    where = [*_BY_NAME] if name_prefix else [Target.id > bindparam("after")]
    where += [_WITH_NAME] * name + [_ACTIVE] * active + [_WITH_SHA256] * sha256
    return (
        select(*targets.COLUMNS, Target.name_key if name_prefix else null(), Target.deleted_at)
        .with_hint(Target, f"FORCE INDEX (ix_target_project_id_is_deleted_{index})")
        .where(
            Target.project_id == bindparam("project_id"),
            Target.is_deleted == bindparam("deleted"),
            *where,
        )
        .order_by(*([Target.name_key] if name_prefix else []), Target.id)
        .limit(bindparam("count"))
    )


def within_size(rows: Sequence[ListedTarget]) -> int:
    """How many of the first rows have at most `METADATA_MAX_BYTES` of metadata together."""
    total = 0
    for place, row in enumerate(rows):
        total += row.record.metadata_size
        if total > METADATA_MAX_BYTES:
            return place
    return len(rows)


def metadata(db: Database, rows: Sequence[ListedTarget]) -> dict[int, str]:
    """The metadata of those that have some, as JSON text, by id."""
    ids = [row.id for row in rows if row.record.metadata_size]
    return {row[0]: row[1] for row in db.read(_METADATA, ids=ids)} if ids else {}
