"""The list of a project's image targets: filters, and keyset pagination by id, name or rating.

Each statement reads one index: of the targets by name, by SHA-256, or by id; or of their analyses,
by rating or by status. The other filters apply to what it finds.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, null, or_, select

from ..db.session import Database
from . import target as targets
from .analysis import RATING_MAX, Analysis
from .target import Target, TargetRecord

# Maximum bytes of metadata in a page.
METADATA_MAX_BYTES = 8 * 2**20
# Above every byte of UTF-8.
END = b"\xff"


class TargetFilter(NamedTuple):
    """Which targets a list holds; None for any.

    With ``name_prefix`` it is ordered by name, with ``rating_min`` by rating, the best ones first:
    one of them at most is given.
    """

    name: str | None = None
    name_prefix: str | None = None
    active: bool | None = None
    sha256: str | None = None
    # A status (`ar_targets.models.analysis.STATUSES`).
    analysis: str | None = None
    rating_min: int | None = None
    deleted: bool = False


class ListedTarget(NamedTuple):
    """A target in a list; ``deleted_at`` is None where it is live."""

    record: TargetRecord
    # By which the list is ordered: `targets.name_key`, or the digit of `Analysis.rating_order`;
    # empty where it is ordered by id.
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
_OF_STATUS = Analysis.status == bindparam("status")
_BY_RATING = (
    Analysis.rating_order >= bindparam("after_order"),
    Analysis.rating_order <= bindparam("last_order"),
    or_(Analysis.rating_order > bindparam("after_order"), Analysis.target_id > bindparam("after")),
)
# Those that are a condition alone.
_FILTERS = {
    "name": _WITH_NAME,
    "active": _ACTIVE,
    "sha256": _WITH_SHA256,
    "analysis": _OF_STATUS,
}
FILTERS = (*_FILTERS, "name_prefix", "rating_min")
_ANALYSED = and_(Analysis.target_id == Target.id, Analysis.project_id == Target.project_id)


def page(
    db: Database,
    project_id: int,
    chosen: TargetFilter,
    count: int,
    after: int = 0,
    after_key: bytes = b"",
) -> list[ListedTarget]:
    """Up to ``count`` targets past the id ``after``, or past that id and key in their order."""
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
    if chosen.analysis is not None:
        values["status"] = chosen.analysis
    if chosen.rating_min is not None:
        values |= {"after_order": int(after_key or 0), "last_order": RATING_MAX - chosen.rating_min}
    given = frozenset(name for name in FILTERS if getattr(chosen, name) is not None)
    rows = db.read(_page(given), project_id=project_id, **values)
    return [ListedTarget(TargetRecord._make(row[:-2]), _key(row[-2]), row[-1]) for row in rows]


def _key(order: bytes | int | None) -> bytes:
    """The key of a row, of the column by which a list is ordered."""
    return str(order).encode() if isinstance(order, int) else order or b""


@functools.cache
def _page(given: frozenset[str]) -> Select[Any]:
    """The statement of a page, by the filters that are given."""
    by_name, by_rating = "name_prefix" in given, "rating_min" in given
    order: Any = Target.name_key if by_name else Analysis.rating_order if by_rating else null()
    where = [_FILTERS[name] for name in sorted(given & _FILTERS.keys())]
    where += _BY_NAME if by_name else _BY_RATING if by_rating else []
    statement: Select[Any] = select(*targets.COLUMNS, order, Target.deleted_at)
    analysed = given & {"analysis", "rating_min"}
    if analysed and not given & {"name", "name_prefix", "sha256"}:
        statement, row_id = _from_analysis(statement, by_rating=by_rating), Analysis.target_id
    else:
        statement, row_id = _from_target(statement, given, analysed=bool(analysed)), Target.id
    if not (by_name or by_rating):
        where.append(row_id > bindparam("after"))
    return (
        statement.where(Target.is_deleted == bindparam("deleted"), *where)
        .order_by(*([order] if by_name or by_rating else []), row_id)
        .limit(bindparam("count"))
    )


def _from_target(statement: Select[Any], given: frozenset[str], *, analysed: bool) -> Select[Any]:
    """The statement that finds targets by an index of theirs."""
    by_name = given & {"name", "name_prefix"}
    index = "name_key_id" if by_name else "sha256_id" if "sha256" in given else "id"
    statement = statement.select_from(Target).with_hint(
        Target, f"FORCE INDEX (ix_target_project_id_is_deleted_{index})"
    )
    if analysed:
        statement = statement.join(Analysis, _ANALYSED)
    return statement.where(Target.project_id == bindparam("project_id"))


def _from_analysis(statement: Select[Any], *, by_rating: bool) -> Select[Any]:
    """The statement that finds targets by an index of their analyses."""
    index = "rating_order" if by_rating else "status"
    return (
        statement.select_from(Analysis)
        .join(Target, _ANALYSED)
        # The tables in this order; MySQL and MariaDB have the word alike.
        .prefix_with("STRAIGHT_JOIN")
        .with_hint(Analysis, f"FORCE INDEX (ix_analysis_project_id_{index}_target_id)")
        .where(Analysis.project_id == bindparam("project_id"))
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
