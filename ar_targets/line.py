"""Who has which connection to the database.

A request takes one from the pool when it first needs it, and gives it back at its end.
A fibre keeps its own for the next request: to check a connection in and out again
is a tenth of a small request, and there is one for each fibre anyway.
"""

from time import monotonic
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool

from . import fibre
from .engine import in_transaction

# After so many seconds the pool gets it back, which alone replaces old ones.
KEPT_SECONDS = 30


class Line:
    """A connection that somebody has, the driver's own in it, and the pool that it came from."""

    def __init__(self, engine: Engine) -> None:
        """Raises SQLAlchemy's errors."""
        self.pool: Pool = engine.pool
        self.connection: Connection = engine.connect()
        self.driver: Any = self.connection.connection.driver_connection
        self.until = monotonic() + KEPT_SECONDS


# Those that fibres keep while they rest.
_resting: set[Line] = set()


def take(engine: Engine) -> Line:
    """The fibre's own, if it has a good one; else one of the pool. Raises SQLAlchemy's errors."""
    asking = fibre.current()
    if asking is None or asking.line is None:
        return Line(engine)
    line, asking.line = asking.line, None
    _resting.discard(line)
    if line.pool is engine.pool and monotonic() < line.until:
        return line
    line.connection.close()
    return Line(engine)


def give_back(line: Line) -> None:
    """The request needs it no more. What is left open is rolled back, by the pool."""
    asking, connection = fibre.current(), line.connection
    clean = not (connection.invalidated or connection.in_transaction())
    if asking is None or asking.line is not None or not clean or in_transaction(line.driver):
        connection.close()
    else:
        asking.line = line
        _resting.add(line)


def used(pool: Pool) -> int:
    """How many connections of a pool somebody uses."""
    out: int = pool.checkedout()  # type: ignore[attr-defined]  # all pools of ours have it
    return out - sum(line.pool is pool for line in list(_resting))
