"""Leases: how workers, on any number of machines, share the rows of a table (`models.noun.Leased`).

`take` marks rows in a short transaction, and holds no lock while they are worked on. Rows that
another worker is just taking are skipped. A worker that dies leaves a lease that runs out; then
`take` finds the row again. So a row may be worked on twice, but what is found out is stored only by
a statement with the condition `still_ours`, which the last lease alone meets.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, inspect, or_, select, update

from .. import clock
from ..db.session import Database, Scope, in_transaction
from ..models.noun import Leased


@dataclass(frozen=True, slots=True)
class Lease:
    """A row that was taken: its key, the token of the lease, and the columns that were read."""

    noun: type[Leased]
    key: int
    token: str
    # Including this one.
    tries: int
    row: Row[Any]


def take(
    scope: Scope,
    noun: type[Leased],
    *columns: Any,
    ready: ColumnElement[bool],
    order: Sequence[Any],
    index: str,
    limit: int,
    seconds: float,
) -> list[Lease]:
    """Lease at most ``limit`` rows that are ``ready``, and that nobody else has.

    ``index`` has them in that ``order``: a statement that sorts would lock more than it returns.
    """

    def work(db: Database) -> list[Lease]:
        key, now = key_of(noun), clock.now()
        found = (
            select(key, noun.tries, *columns)
            .with_hint(noun, f"FORCE INDEX ({index})")
            .where(ready, or_(noun.leased_until.is_(None), noun.leased_until <= now))
            .order_by(*order)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = db.write(found).all()
        if not rows:
            return []
        token = secrets.token_hex(16)
        taken = update(noun).where(key.in_([row[0] for row in rows]))
        db.write(taken.values(lease=token, leased_until=later(now, seconds), tries=noun.tries + 1))
        return [Lease(noun, row[0], token, row[1] + 1, row) for row in rows]

    return in_transaction(scope, work)


def still_ours(lease: Lease) -> ColumnElement[bool]:
    """The condition that nobody has taken the row since, and that it was not queued again."""
    return (key_of(lease.noun) == lease.key) & (lease.noun.lease == lease.token)


def extend(scope: Scope, leases: Sequence[Lease], seconds: float) -> None:
    """Let leases run on from now."""
    until = {"leased_until": later(clock.now(), seconds)}
    for lease in leases:
        _change(scope, lease, until)


def give_back(scope: Scope, lease: Lease, *, counted: bool, seconds: float = 0) -> bool:
    """End a lease without a result; in ``seconds``, any worker may take the row again.

    Where the row is not to blame, the try is not ``counted``. Returns whether it was still ours.
    """
    noun = lease.noun
    ended: dict[str, Any] = {"lease": None, "leased_until": later(clock.now(), seconds)}
    if not counted:
        ended["tries"] = noun.tries - 1
    return _change(scope, lease, ended)


def _change(scope: Scope, lease: Lease, values: Mapping[str, Any]) -> bool:
    statement = update(lease.noun).where(still_ours(lease)).values(values)
    return in_transaction(scope, lambda db: db.write(statement).rowcount == 1)


def key_of(noun: type[Leased]) -> ColumnElement[int]:
    """The column of the primary key."""
    column: ColumnElement[int]
    (column,) = inspect(noun).primary_key
    return column


def later(moment: datetime, seconds: float) -> datetime:
    """So many seconds after a moment."""
    return moment + timedelta(seconds=seconds)
